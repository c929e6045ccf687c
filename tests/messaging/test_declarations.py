"""A wrong declaration stops the start, and says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import Struct

from messaging import declarations
from messaging.handling.handlers import handled_twice, versions_read
from messaging.service import Event, On, Service, declared


class OrderMade(Struct):
    order_id: str


class OrderUndone(Struct):
    order_id: str


class Billed(Struct):
    order_id: str


class LogWritten(Struct):
    order_id: str


class ShippingAnnounced(Struct):
    order_id: str
    carrier: str


class ShippingCalledOff(Struct):
    order_id: str


ORDERS = Service(
    "orders",
    publishes=[Event("order.made", OrderMade), Event("order.undone", OrderUndone)],
    keeps_ledger=True,
    fanout="order_events",
)
#: It answers nothing, so orders does not hear its events.
LOG = Service("log", publishes=[Event("log.written", LogWritten)])
ANNOUNCED = Event("shipping.announced", ShippingAnnounced)
CALLED_OFF = Event("shipping.called_off", ShippingCalledOff)
KEPT = Event("shipping.announced", ShippingAnnounced, kept_by="inventory.shipping")
KEPT_BY_NOBODY = Event("shipping.announced", ShippingAnnounced, kept_by="shipping.keeping")
MADE = On("order.made", leads_to=["announced"])
#: The newest version of the type that the handler reads.
HANDLED = {("shipping", "order.made"): 1}


def shipping(**changes: object) -> Service:
    right = {"listens": [MADE], "publishes": [ANNOUNCED]}
    return Service("shipping", **(right | changes))


def told(
    service: Service,
    handled: dict[tuple[str, str], int] = HANDLED,
    twice: list[tuple[str, str, str]] | None = None,
    package: str = "shipping",
) -> list[str]:
    """Each error as one line: what is wrong, and the fix."""
    services = {"orders": ORDERS, "log": LOG, package: service}
    found = declarations.errors(services, handled, twice or [])
    return [f"{each.id} {each.msg} {each.hint}" for each in found]


def test_the_services_of_this_installation_are_declared_right() -> None:
    assert declarations.errors(declared(), versions_read(), handled_twice) == []


def test_a_right_declaration_has_no_error() -> None:
    assert told(shipping()) == []


def test_a_service_may_answer_another_services_event() -> None:
    """Orders notes it, so an order awaits the answer from then on."""
    billed = Service(
        "billing",
        listens=[On("shipping.announced", leads_to=["billed"])],
        publishes=[Event("billing.billed", Billed)],
    )
    services = {"orders": ORDERS, "shipping": shipping(), "billing": billed}
    handled = HANDLED | {("billing", "shipping.announced"): 1}

    assert declarations.errors(services, handled, []) == []


@pytest.mark.parametrize(
    ("service", "number", "words"),
    [
        (shipping(listens=[On("order.maed")]), "E009", 'Write On("order.made")'),
        (shipping(listens=[On("zzz")]), "E009", "The types are order.made, order.undone"),
        (shipping(listens=[MADE, MADE]), "E010", "Leave one of them"),
        (shipping(plain_messages_are="order.undone"), "E011", "Name one of order.made"),
        (
            shipping(listens=[On("order.made", leads_to=["sent"])]),
            "E012",
            'Add Event("shipping.sent", …) to publishes, or lead to one of announced',
        ),
        (
            shipping(listens=[MADE, On("log.written", leads_to=["announced"])]),
            "E013",
            'Write On("log.written")',
        ),
        (shipping(notes="shipping.notes"), "E021", "shipping.notes', which has not all"),
        (
            shipping(listens=[MADE, On("order.undone")]),
            "E014",
            '@handles("shipping", "order.undone"',
        ),
        (shipping(publishes=[Event("shipment", ShippingAnnounced)]), "E004", "shipping."),
        (
            shipping(
                publishes=[Event("shipping.announced", ShippingAnnounced, by_topic_only=True)]
            ),
            "E005",
            "by_topic=True",
        ),
        (
            shipping(publishes=[Event("shipping.announced", ShippingAnnounced, detail="agent")]),
            "E006",
            "Name one of order_id, carrier",
        ),
        (
            shipping(publishes=[Event("shipping.pending", ShippingAnnounced)]),
            "E004",
            "shipping.done",
        ),
        (shipping(publishes=[ANNOUNCED, ANNOUNCED]), "E007", "a type of its own"),
        (
            shipping(publishes=[ANNOUNCED, Event("shipping.sent", ShippingAnnounced)]),
            "E008",
            "a Struct of its own",
        ),
        (shipping(keeps_ledger=True), "E003", "orders only"),
        (shipping(publishes=[KEPT_BY_NOBODY]), "E018", "shipping.keeping', which has not all"),
        (shipping(listens=[On("order.made")], publishes=[KEPT]), "E019", "Leave out kept_by"),
        (
            shipping(
                listens=[MADE, On("order.undone", leads_to=["called_off"])],
                publishes=[CALLED_OFF, ANNOUNCED],
            ),
            "E025",
            "Write them in the sequence shipping.announced, shipping.called_off",
        ),
        (shipping(outbox="shipping.nowhere"), "E026", "shipping.nowhere', which has not all"),
        (
            shipping(listens=[MADE, On("shipping.announced")]),
            "E027",
            'Leave out On("shipping.announced")',
        ),
        *(
            (shipping(fanout=name), "E023", "name another exchange with fanout")
            for name in (
                *("dead_letters", "by_name", "topology.change"),
                *("order_events.topic", "order_events.headers", "log_events.topic"),
            )
        ),
    ],
)
def test_a_mistake_in_a_declaration_names_its_fix(
    service: Service, number: str, words: str
) -> None:
    lines = told(service)

    assert any(line.startswith(f"services.{number} ") and words in line for line in lines), lines


def test_a_handler_that_reads_no_newer_version_than_is_published_has_no_error() -> None:
    """Consumers come first: a handler may read what is not published yet."""
    assert told(shipping(), handled={("shipping", "order.made"): 2}) == []


def test_a_handler_that_does_not_read_what_is_published_is_told() -> None:
    """Else every such event is a failed message of the service."""
    made = Event("order.made", OrderMade, version=3)
    services = {
        "orders": Service("orders", publishes=[made], keeps_ledger=True),
        "shipping": shipping(),
    }

    [error] = declarations.errors(services, {("shipping", "order.made"): 2}, [])

    assert error.id == "services.E024"
    assert error.msg == (
        "shipping: its handler of order.made reads its version 2, and 3 is published."
    )
    assert "version=3" in error.hint


def test_a_service_is_named_like_its_package() -> None:
    [line] = [each for each in told(shipping(), package="ship") if "E002" in each]

    assert 'Service("ship", …)' in line


@pytest.mark.parametrize("name", ["relay", "deliverer", "replay_outcomes"])
def test_a_name_that_something_else_has_is_told(name: str) -> None:
    [line] = told(Service(name), handled={}, package=name)

    assert line.startswith(f"services.E022 {name}: '{name}' is the name of a process or queue")


def test_an_exchange_of_two_services_is_told() -> None:
    """Each one's subscribers would get the events of both."""
    lines = told(Service("order"), package="order")

    assert any(
        line.startswith("services.E023 ") and "order_events is also that of orders" in line
        for line in lines
    ), lines


def test_a_type_without_a_handler_is_told() -> None:
    [line] = told(shipping(), handled={})

    assert "it listens to order.made and has no handler for it" in line


def test_a_handler_of_a_type_that_is_not_listened_to_is_told() -> None:
    [line] = told(shipping(), handled=HANDLED | {("shipping", "order.undone"): 1})

    assert "E015" in line
    assert 'Add On("order.undone") to listens in shipping/service.py' in line


def test_a_second_handler_of_a_type_is_told() -> None:
    [line] = told(shipping(), twice=[("shipping", "order.made", "shipping.tasks.again")])

    assert "E016" in line
    assert "shipping.tasks.again" in line


def test_handlers_without_a_declaration_are_told() -> None:
    [line] = told(shipping(), handled=HANDLED | {("parcels", "order.made"): 1})

    assert "Declare SERVICE in parcels/service.py" in line


def test_a_package_that_is_not_installed_is_told(tmp_path: Path) -> None:
    for name in ("shipping", "parcels"):
        (tmp_path / name).mkdir()
        for file in ("apps.py", "service.py"):
            (tmp_path / name / file).touch()

    [error] = declarations.outside(tmp_path, ["shipping"])

    assert error.id == "services.E001"
    assert 'Add "parcels" to INSTALLED_APPS' in error.hint


def test_a_package_without_apps_that_is_not_installed_is_told(tmp_path: Path) -> None:
    for name in ("parcels", "messaging", "localservices"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "service.py").touch()

    [error] = declarations.outside(tmp_path, [])

    assert error.msg.startswith("parcels: it declares a service, but is not installed")


def test_a_service_that_nobody_starts_a_worker_for_is_told(tmp_path: Path) -> None:
    for name, files in {"parcels": ("service.py",), "shipping": ("service.py", "apps.py")}.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    declared = {name: Service(name) for name in ("parcels", "shipping", "elsewhere.letters")}

    found = list(declarations.without_a_worker(tmp_path, declared))

    assert [(each.id, each.msg.split(":")[0]) for each in found] == [
        ("services.E020", "parcels"),
        ("services.E020", "elsewhere.letters"),
    ]
    assert f"Move it to {tmp_path / 'parcels'}" in found[0].hint
