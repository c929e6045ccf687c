"""A service, declared once in its package's `service.py`; everything else follows from that.

    SERVICE = Service(
        "shipping",
        listens=[On("order.confirmed", leads_to=["announced"])],
        publishes=[Event("shipping.announced", ShippingAnnounced)],
    )

Its queues, bindings, place in the ledger, timeline, conservation line, worker and documents are
derived. A package that is in INSTALLED_APPS and has a `service.py` is a service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange
from msgspec import Struct

MODULE = "service"

#: What is found out of a type of event. A publisher may make a type of its own of each message.
TYPES_REMEMBERED = 1_000

#: The state of an order in a service that has said nothing of it yet.
PENDING = "pending"

#: After every event that another one led to.
LAST = (1_000, 0)

Body = type[Struct]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One type of event that a service publishes."""

    #: `<service>.<state>`, or `order.<state>`; also the routing key on topic exchanges.
    type: str
    #: What the body is made of, and its documentation for subscribers.
    body: Body
    #: Of the body: one more with each change that a subscriber has to know of. Its handlers read it
    #: then, with `@handles(…, version=)`.
    version: int = 1
    #: Published to the service's topic exchange alone, so that its fanout's queues are spared it.
    by_topic_only: bool = False
    #: The field of the body, in Python's spelling, that the order's ledger shows beside the state.
    detail: str | None = None
    #: Of an event that nothing asks for, as when a person ships an order: the dotted name of the
    #: module that keeps it until orders has noted it, see `messaging.unasked_events`.
    kept_by: str | None = None

    @property
    def state(self) -> str:
        """What it says of an order: `inventory.reserved` -> `reserved`."""
        return self.type.partition(".")[2]


@dataclass(frozen=True, slots=True, eq=False)
class On:
    """A type of event that a service listens to, wherever it is published."""

    type: str
    #: The service's own states of which one has to follow, or any that it publishes as a later
    #: one; empty where no answer is awaited.
    leads_to: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """One service: its queue is named like it, and so is its Celery worker's `-Q`."""

    name: str
    listens: Sequence[On] = ()
    #: What it says about an order, in the sequence in which the states follow one another: an order
    #: that has a later state waits for no earlier one.
    publishes: Sequence[Event] = ()
    #: The type of a message that names none, as an external publisher's plain JSON.
    plain_messages_are: str | None = None
    #: Whether it keeps the orders' ledger, and so hears every answer of every other service.
    keeps_ledger: bool = False
    #: Whether it hears every type of event that another service publishes, beside `listens`.
    hears_every_type: bool = False
    #: The dotted name of the module that says which events it has noted, of a service whose answer
    #: nobody has to hear; see `messaging.noted_events`. What it hears and leads to nothing is
    #: awaited then as well.
    notes: str | None = None
    #: Whether it runs here; a setting may say so. Where not, it has no queue and no worker, and its
    #: package is installed like any other.
    runs: bool = True
    #: Whether subscribers can have its events by routing key and by header, too.
    by_topic: bool = False
    #: The dotted name of the module with the outbox from which the relay publishes its events; see
    #: `messaging.outboxes`. None: a handler publishes each, or `kept_by` names who does.
    outbox: str | None = None
    #: The name of its fanout; None: `<name>_events`.
    fanout: str | None = None
    #: Processes that run beside its worker, each with a user of its own, and which of MongoDB's
    #: collections each of them changes; they need no RabbitMQ.
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def exchange(self) -> Exchange:
        """The durable fanout for its events."""
        return Exchange(self.fanout or f"{self.name}_events", type="fanout", durable=True)

    @property
    def topic_exchange(self) -> Exchange:
        """Gets all that the fanout gets, and passes it on by routing key."""
        return Exchange(f"{self.exchange.name}.topic", type="topic", durable=True)

    @property
    def headers_exchange(self) -> Exchange:
        """Gets all that the topic exchange gets, and passes it on by header."""
        return Exchange(f"{self.exchange.name}.headers", type="headers", durable=True)

    def exchange_of(self, event: Event) -> Exchange:
        """Where the event is published."""
        return self.topic_exchange if event.by_topic_only else self.exchange

    @property
    def answers(self) -> bool:
        """Whether an order's events have to lead to something here, or be noted."""
        return self.notes is not None or any(on.leads_to for on in self.listens)

    @property
    def states(self) -> tuple[str, ...]:
        """The states that an order can have here, each ranked above those before it."""
        return (PENDING, *(event.state for event in self.publishes))

    def ends(self, on: On) -> frozenset[str]:
        """The states that end the event: what it leads to, and whatever is later than these."""
        places = [self.states.index(state) for state in on.leads_to if state in self.states]
        return frozenset(self.states[min(places) :]) if places else frozenset()


@cache
def services() -> dict[str, Service]:
    """Every service of this installation by its name, in the sequence of INSTALLED_APPS."""
    return {service.name: service for service in declared().values()}


@cache
def declared() -> dict[str, Service]:
    """The same by the package that declares it.

    Raises:
        ImproperlyConfigured: what `service_in` raises.
    """
    return {package: each for package, each in _all_declared().items() if each.runs}


@cache
def resting() -> frozenset[str]:
    """The names of the declared services that do not run here."""
    return frozenset(each.name for each in _all_declared().values() if not each.runs)


@cache
def _all_declared() -> dict[str, Service]:
    return {package: service_in(package) for package in installed_packages() if _has_one(package)}


def installed_packages() -> list[str]:
    """The packages of INSTALLED_APPS, whether they are named or their AppConfig is."""
    return list(dict.fromkeys(entry.partition(".apps.")[0] for entry in settings.INSTALLED_APPS))


def _has_one(package: str) -> bool:
    return find_spec(f"{package}.{MODULE}") is not None


def service_in(package: str) -> Service:
    """The service that the package declares.

    Raises:
        ImproperlyConfigured: its `service.py` has no SERVICE, or one whose parts are not of their
            types; the text says what to write.
    """
    module = import_module(f"{package}.{MODULE}")
    service = getattr(module, "SERVICE", None)
    if not isinstance(service, Service):
        raise ImproperlyConfigured(
            f"{module.__name__} declares no service. Write, for example: "
            f'SERVICE = Service("{package}", listens=[On("order.placed")])'
        )
    for fault in (*_no_on(service.listens), *_no_event(service.publishes, service.name)):
        raise ImproperlyConfigured(f"{module.__name__}: {fault}")
    return service


def _no_on(listens: Any) -> Iterator[str]:
    if not isinstance(listens, list | tuple):
        yield f'listens is {_named(listens)}. Write listens=[On("order.placed")]'
        return
    for each in listens:
        if not isinstance(each, On):
            type_ = each if isinstance(each, str) else "order.placed"
            yield f'listens has {_named(each)}. Write On("{type_}")'
        elif not isinstance(each.leads_to, list | tuple):
            yield (
                f"{each.type} leads to {_named(each.leads_to)}, which is not a list. "
                f'Write On("{each.type}", leads_to=["{each.leads_to}"])'
            )


def _no_event(publishes: Any, service: str) -> Iterator[str]:
    if not isinstance(publishes, list | tuple):
        yield f'publishes is {_named(publishes)}. Write publishes=[Event("{service}.<state>", …)]'
        return
    for each in publishes:
        if not isinstance(each, Event):
            body = _named(each) if _is_body(each) else "…"
            yield f'publishes has {_named(each)}. Write Event("{service}.<state>", {body})'
        elif not _is_body(each.body):
            yield f"the body of {each.type} is {_named(each.body)}. Write a subclass of Struct"


def _is_body(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Struct)


def _named(value: object) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)


@cache
def events() -> dict[str, Event]:
    """Every type of event that some service publishes."""
    return {event.type: event for service in services().values() for event in service.publishes}


@cache
def events_by_body() -> dict[type[Struct], Event]:
    """The same by what their bodies are made of."""
    return {event.body: event for event in events().values()}


@lru_cache(maxsize=TYPES_REMEMBERED)
def publisher_of(type_: str) -> Service | None:
    """The service that publishes this type of event; None where none does."""
    for service in services().values():
        if any(event.type == type_ for event in service.publishes):
            return service
    return None


@lru_cache(maxsize=TYPES_REMEMBERED)
def exchange_of(type_: str) -> Exchange:
    """Where events of this type are published.

    Raises:
        KeyError: no service declares that it publishes this type.
    """
    service = publisher_of(type_)
    if service is None:
        raise KeyError(f"no service declares that it publishes {type_}")
    return service.exchange_of(events()[type_])


@cache
def listeners(type_: str) -> tuple[Service, ...]:
    """The services that handle this type of event."""
    return tuple(
        service for service in services().values() if any(on.type == type_ for on in heard(service))
    )


@cache
def answering() -> tuple[Service, ...]:
    """The services that an order waits for."""
    return tuple(service for service in services().values() if service.answers)


def happens(type_: str, among: Mapping[str, Service] | None = None) -> tuple[int, int]:
    """When this type of event happens to an order: of two, the earlier one has the lower tuple.

    First of the order's own event that it follows, in their sequence, then how far behind it. What
    nothing asks for, as when a person ships an order, comes last.

    Args:
        among: the services that there are; None: those of this installation.
    """
    return _happens(type_, tuple((services() if among is None else among).values()), ())


def _happens(type_: str, among: tuple[Service, ...], led_here: tuple[str, ...]) -> tuple[int, int]:
    publisher = next(
        (each for each in among if any(event.type == type_ for event in each.publishes)), None
    )
    if publisher is None or type_ in led_here:
        return LAST
    types = [event.type for event in publisher.publishes]
    if publisher.keeps_ledger:
        return types.index(type_), 0
    state = publisher.publishes[types.index(type_)].state
    causes = [
        _happens(on.type, among, (*led_here, type_))
        for on in publisher.listens
        if state in on.leads_to
    ]
    own_event, behind = min(causes, default=LAST)
    return own_event, behind + 1


def heard(service: Service) -> tuple[On, ...]:
    """Everything that the service handles; the ledger's keeper handles every answer."""
    named = {on.type for on in service.listens}
    more = (
        On(event.type)
        for other in services().values()
        if _hears_all_of(service, other)
        for event in other.publishes
        if event.type not in named
    )
    return (*service.listens, *more)


def awaited_of(service: Service) -> tuple[On, ...]:
    """What the service hears and has to answer, or to note."""
    return tuple(on for on in heard(service) if on.leads_to or service.notes)


def _hears_all_of(service: Service, other: Service) -> bool:
    if service.hears_every_type:
        return not other.hears_every_type
    return service.keeps_ledger and other.answers
