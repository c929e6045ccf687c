"""Checks of the services' declarations, for Django's system checks at the start.

Each error names the package, what is wrong, and what to write instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error

from messaging import noted_events, outboxes
from messaging.service import LAST, PENDING, Event, Service, happens
from messaging.service_names import IS_TAKEN, TAKEN, shares_exchange
from messaging.unasked_events import FUNCTIONS

TAG = "services"

#: Their `service.py` is about services, and declares none.
NO_SERVICES = ("messaging", "localservices")


def errors(
    services: Mapping[str, Service],
    handled: Mapping[tuple[str, str], int],
    handled_twice: Iterable[tuple[str, str, str]],
) -> list[CheckMessage]:
    """What is wrong with the declarations and the handlers beside them.

    Args:
        services: every declared service by its package.
        handled: the newest version that each handler reads, by (service, type); without those
            that only ignore a type.
        handled_twice: (service, type, dotted name) of each further handler of the same type.
    """
    everything: list[Iterator[CheckMessage]] = [
        _names(services),
        _events(services),
        _second_handlers(handled_twice),
        _undeclared(services, handled),
    ]
    types = {event.type: event for each in services.values() for event in each.publishes}
    for service in services.values():
        everything += [
            _listening(service, types),
            _answers(service, services),
            _sequence(service, services),
            _modules(service),
            _handlers(service, handled),
            _versions(service, handled, types),
        ]
    return [each for some in everything for each in some]


def outside(root: Path, packages: Iterable[str]) -> Iterator[CheckMessage]:
    """Packages below `root` that declare a service and are not among the installed `packages`."""
    for file in sorted(root.glob("*/service.py")):
        name = file.parent.name
        if name not in (*packages, *NO_SERVICES):
            yield _error(
                "E001",
                name,
                "it declares a service, but is not installed, so the service does not run",
                f'add "{name}" to INSTALLED_APPS in ordersite/settings.py, or delete {name}/',
            )


def without_a_worker(root: Path, services: Mapping[str, Service]) -> Iterator[CheckMessage]:
    """Packages that declare a service where nobody looks for one: it has no worker then.

    `make run`, `manage.py up` and the import contract find services by these files.
    """
    for package in services:
        if not all((root / package / file).exists() for file in ("service.py", "apps.py")):
            yield _error(
                "E020",
                package,
                "it is not a folder beside manage.py with service.py and apps.py, so nothing "
                "starts a worker for its queue",
                f"move it to {root / package}, with an apps.py as `startservice` writes it",
            )


def _names(services: Mapping[str, Service]) -> Iterator[CheckMessage]:
    for package, service in services.items():
        if service.name != package:
            yield _error(
                "E002",
                package,
                f"its service is named {service.name!r}",
                f'name it like its package: Service("{package}", …)',
            )
        if service.name in TAKEN:
            yield _error(
                "E022",
                package,
                f"{service.name!r} {IS_TAKEN}",
                "rename the package and its service",
            )
    yield from _shared_exchanges(services.values())
    keepers = [service.name for service in services.values() if service.keeps_ledger]
    if len(keepers) != 1:
        yield _error(
            "E003",
            ", ".join(keepers) or "the services",
            f"{len(keepers)} services keep the orders' ledger",
            "keep keeps_ledger=True in orders only",
        )


def _shared_exchanges(services: Iterable[Service]) -> Iterator[CheckMessage]:
    earlier: list[Service] = []
    for service in services:
        if fault := shares_exchange(service, earlier):
            yield _error(
                "E023",
                service.name,
                fault,
                "rename the package and its service, or name another exchange with fanout",
            )
        earlier.append(service)


def _events(services: Mapping[str, Service]) -> Iterator[CheckMessage]:
    published = [(service, event) for service in services.values() for event in service.publishes]
    for service, event in published:
        prefix = _prefix(service)
        if not event.type.startswith(prefix) or event.state in ("", PENDING):
            state = "done" if event.state == PENDING else event.state
            yield _error(
                "E004",
                service.name,
                f"it publishes {event.type!r}",
                f"name its events like {prefix}{state or 'done'}",
            )
        if event.by_topic_only and not service.by_topic:
            yield _error(
                "E005",
                service.name,
                f"{event.type} is published by topic only, and it has no topic exchange",
                f'write Service("{service.name}", …, by_topic=True)',
            )
        yield from _detail(service, event)
        yield from _keeper(service, event)
    yield from _doubles(published)


def _prefix(service: Service) -> str:
    """What the types of its events begin with: `order` for `orders`."""
    return "order." if service.keeps_ledger else f"{service.name}."


def _detail(service: Service, event: Event) -> Iterator[CheckMessage]:
    fields = event.body.__struct_fields__
    if event.detail is not None and event.detail not in fields:
        yield _error(
            "E006",
            service.name,
            f"the detail of {event.type} is {event.detail!r}, which its body does not have",
            f"name one of {', '.join(fields)}",
        )


def _keeper(service: Service, event: Event) -> Iterator[CheckMessage]:
    if event.kept_by is None:
        return
    if not service.answers:
        yield _error(
            "E019",
            service.name,
            f"orders does not note {event.type}, since no order waits for an answer from here",
            "leave out kept_by, or say in listens what an event of orders leads to",
        )
    if not _has(event.kept_by, FUNCTIONS):
        yield _error(
            "E018",
            service.name,
            f"{event.type} is kept by {event.kept_by!r}, which has not all of the functions "
            f"{', '.join(FUNCTIONS)}",
            "name a module that has them, as inventory.shipping does",
        )


def _has(module: str, functions: Iterable[str]) -> bool:
    """Whether there is such a module, with these functions."""
    try:
        found: object = import_module(module)
    except ImportError:
        return False
    return all(callable(getattr(found, name, None)) for name in functions)


def _doubles(published: list[tuple[Service, Event]]) -> Iterator[CheckMessage]:
    types = Counter(event.type for _, event in published)
    bodies = Counter(event.body for _, event in published)
    for service, event in published:
        if types[event.type] > 1:
            yield _error(
                "E007",
                service.name,
                f"{event.type} is declared {types[event.type]} times",
                "give each event a type of its own",
            )
        elif bodies[event.body] > 1:
            yield _error(
                "E008",
                service.name,
                f"{event.body.__name__} is the body of several types, {event.type} among them",
                "give each type of event a Struct of its own",
            )


def _listening(service: Service, types: Mapping[str, Event]) -> Iterator[CheckMessage]:
    listened = Counter(on.type for on in service.listens)
    for type_, times in listened.items():
        if type_ not in types:
            near = get_close_matches(type_, types, n=1)
            yield _error(
                "E009",
                service.name,
                f"it listens to {type_!r}, which no service publishes",
                f'write On("{near[0]}")' if near else f"the types are {', '.join(types)}",
            )
        if times > 1:
            yield _error(
                "E010", service.name, f"it listens to {type_} {times} times", "leave one of them"
            )
    for event in service.publishes:
        if event.type in listened:
            yield _error(
                "E027",
                service.name,
                f"it listens to its own event {event.type}",
                f'leave out On("{event.type}"), and do the work where the event is made',
            )
    plain = service.plain_messages_are
    if plain and plain not in listened:
        yield _error(
            "E011",
            service.name,
            f"it takes plain messages for {plain!r}, which it does not listen to",
            f"name one of {', '.join(listened) or 'the types that it listens to'}",
        )


def _answers(service: Service, services: Mapping[str, Service]) -> Iterator[CheckMessage]:
    noted = {
        event.type
        for each in services.values()
        if each.keeps_ledger or each.answers
        for event in each.publishes
    }
    for on in service.listens:
        for state in on.leads_to:
            if state not in service.states[1:]:
                yield _error(
                    "E012",
                    service.name,
                    f"{on.type} leads to {state!r}, which it does not publish",
                    f'add Event("{service.name}.{state}", …) to publishes, or lead to one of '
                    f"{', '.join(service.states[1:]) or 'its own events'}",
                )
        if on.leads_to and on.type not in noted:
            yield _error(
                "E013",
                service.name,
                f"{on.type} leads to {', '.join(on.leads_to)}, and its publisher answers nothing "
                "of an order, so no order knows that this is awaited",
                f'write On("{on.type}")',
            )


def _sequence(service: Service, services: Mapping[str, Service]) -> Iterator[CheckMessage]:
    """A later state ends the wait for an earlier one: in the wrong sequence a loss goes unseen."""
    asked_for = [
        (happens(event.type, services), event.type)
        for event in service.publishes
        if happens(event.type, services) < LAST
    ]
    right = sorted(asked_for, key=lambda each: each[0])
    if asked_for != right:
        yield _error(
            "E025",
            service.name,
            "it publishes in another sequence than what it listens to happens in, so that an "
            "order with the earlier state would not wait for the later one",
            f"write them in the sequence {', '.join(type_ for _, type_ in right)}",
        )


def _modules(service: Service) -> Iterator[CheckMessage]:
    if service.outbox is not None and not _has(service.outbox, outboxes.FUNCTIONS):
        yield _error(
            "E026",
            service.name,
            f"its outbox is in {service.outbox!r}, which has not all of the functions "
            f"{', '.join(outboxes.FUNCTIONS)}",
            "name a module that has them, as orders.outbox.store does",
        )
    if service.notes is not None and not _has(service.notes, noted_events.FUNCTIONS):
        yield _error(
            "E021",
            service.name,
            f"its notes are in {service.notes!r}, which has not all of the functions "
            f"{', '.join(noted_events.FUNCTIONS)}",
            "name a module that has them, as webhooks.noting does",
        )


def _handlers(service: Service, handled: Mapping[tuple[str, str], int]) -> Iterator[CheckMessage]:
    listened = {on.type for on in service.listens}
    for type_ in sorted(listened):
        if (service.name, type_) not in handled:
            yield _error(
                "E014",
                service.name,
                f"it listens to {type_} and has no handler for it",
                f'add @handles("{service.name}", "{type_}", …) to {service.name}/tasks.py',
            )
    if service.keeps_ledger or service.hears_every_type:
        return
    for name, type_ in sorted(handled):
        if name == service.name and type_ not in listened:
            yield _error(
                "E015",
                service.name,
                f"it has a handler for {type_} and does not listen to it",
                f'add On("{type_}") to listens in {service.name}/service.py',
            )


def _versions(
    service: Service, handled: Mapping[tuple[str, str], int], types: Mapping[str, Event]
) -> Iterator[CheckMessage]:
    """A handler may read more than is published: in an upgrade the consumers come first."""
    for (name, type_), read in sorted(handled.items()):
        if name == service.name and type_ in types and read < types[type_].version:
            version = types[type_].version
            yield _error(
                "E024",
                name,
                f"its handler of {type_} reads its version {read}, and {version} is published",
                f'let it read that, and write @handles("{name}", "{type_}", version={version}, …) '
                f"in {name}/tasks.py",
            )


def _second_handlers(twice: Iterable[tuple[str, str, str]]) -> Iterator[CheckMessage]:
    for service, type_, name in twice:
        yield _error(
            "E016",
            service,
            f"{type_} has a second handler, {name}",
            "keep one handler for each type; it may call the other function",
        )


def _undeclared(
    services: Mapping[str, Service], handled: Mapping[tuple[str, str], int]
) -> Iterator[CheckMessage]:
    for name in sorted({name for name, _ in handled} - {each.name for each in services.values()}):
        yield _error(
            "E017",
            name,
            "it has handlers and declares no service",
            f"declare SERVICE in {name}/service.py",
        )


def _error(number: str, about: str, problem: str, fix: str) -> CheckMessage:
    arguments: dict[str, Any] = {"hint": f"{fix[0].upper()}{fix[1:]}.", "id": f"{TAG}.{number}"}
    return Error(f"{about}: {problem}.", **arguments)
