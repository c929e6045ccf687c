"""The checker must be able to fail: each promise broken on purpose is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bson import Decimal128, ObjectId

from drills.checks import invariant
from drills.checks.evidence import Evidence
from drills.checks.invariant import violations
from drills.traffic.history import Exchange
from drills.violation import Kind

ORDER_ID = ObjectId()
ID = str(ORDER_ID)
OTHER_ID = ObjectId()
USER = 101
LINES = [{"sku": "pen", "quantity": 2}]


@pytest.fixture(autouse=True)
def these_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the evidence below, whichever there are."""
    monkeypatch.setattr(invariant, "SERVICES", ("inventory", "billing", "orders"))


def exchange(kind: str = "order", status: int | None = 201, order_id: str = ID) -> Exchange:
    return Exchange(
        number=1,
        kind=kind,
        user_id=USER,
        key="a-key",
        body={"userId": USER, "items": [{"sku": "pen", "quantity": 1}, "pen"]},
        at=0.0,
        seconds=0.1,
        status=status,
        answer={"order": {"orderId": order_id}} if status in (200, 201) else {},
    )


def good(status: str = "confirmed") -> Evidence:
    """One order that went its way, on a site with nothing else."""
    reservation, invoice = {
        "confirmed": ("reserved", "issued"),
        "rejected": ("rejected", "credited"),
        "cancelled": ("released", "void"),
    }[status]
    reserved = 2 if status == "confirmed" else 0
    total = Decimal128("3.60")
    line = {"accepted": 1, "done": 1, "inFlight": 0, "retrying": 0, "failed": 0, "discarded": 0}
    return Evidence(
        exchanges=[exchange()],
        put_in={"pen": 10},
        orders=[
            {
                "_id": ORDER_ID,
                "user_id": USER,
                "status": status,
                "items": LINES,
                "total": total,
                "pending_events": [],
                "ledger": {"inventory": {"state": reservation}},
            }
        ],
        reservations=[{"_id": ID, "user_id": USER, "state": reservation, "items": LINES}],
        invoices=[
            {
                "_id": ID,
                "user_id": USER,
                "state": invoice,
                "items": LINES,
                "total": total,
                "number": None if invoice == "void" else "2026-000001",
                "credit_note_number": "C2026-000001" if invoice == "credited" else None,
            }
        ],
        products=[{"sku": "pen", "available": 10 - reserved, "reserved": reserved, "shipped": 0}],
        shown={ID: {"orderId": ID}},
        numbers=["2026-000001"],
        queues=[queue("inventory"), queue("billing"), queue("orders")],
        conservation={
            "conserved": True,
            "lines": [{"service": service, **line} for service in ("inventory", "billing")],
        },
        accepted=1,
    )


def queue(name: str, **counts: int) -> dict[str, Any]:
    return {
        "name": name,
        "messages": sum(counts.values()),
        "messages_ready": 0,
        "messages_unacknowledged": 0,
        **counts,
    }


def with_queue(evidence: Evidence, name: str, **counts: int) -> Evidence:
    others = [each for each in evidence.queues if each["name"] != name]
    return replace(evidence, queues=[*others, queue(name, **counts)])


def failed(service: str, reason: str = "attempts_used_up", message_id: str = "") -> dict[str, Any]:
    return {
        "service": service,
        "order_id": ID,
        "message_id": message_id or f"order.placed:{ID}",
        "reason": reason,
        "status": "failed",
        "body": b"{}",
    }


def stray(documents: list[dict[str, Any]], user_id: int) -> dict[str, Any]:
    """The same, under the id of an order that is not there."""
    return {**documents[0], "_id": str(ObjectId()), "user_id": user_id}


def product(available: int, reserved: int, shipped: int = 0) -> list[dict[str, Any]]:
    return [{"sku": "pen", "available": available, "reserved": reserved, "shipped": shipped}]


def with_line(evidence: Evidence, **changes: int) -> Evidence:
    first, *others = evidence.conservation["lines"]
    return replace(
        evidence, conservation={"conserved": True, "lines": [{**first, **changes}, *others]}
    )


#: What was broken, and as what it has to be reported.
BROKEN: dict[str, tuple[Kind, Callable[[Evidence], Evidence]]] = {
    "the order is gone": (Kind.LOST, lambda good: replace(good, orders=[])),
    "the order is not shown": (Kind.LOST, lambda good: replace(good, shown={})),
    "no invoice": (Kind.LOST, lambda good: replace(good, invoices=[])),
    "no reservation": (Kind.LOST, lambda good: replace(good, reservations=[])),
    "a failed message of the other service": (
        Kind.LOST,
        lambda good: replace(good, invoices=[], failed_messages=[failed("inventory")]),
    ),
    "a failed message without a reason": (
        Kind.LOST,
        lambda good: replace(good, invoices=[], failed_messages=[failed("billing", reason="")]),
    ),
    "an event in the outbox": (
        Kind.LOST,
        lambda good: replace(good, orders=[{**good.orders[0], "pending_events": [{"id": "x"}]}]),
    ),
    "an external publisher's bad message is gone": (
        Kind.LOST,
        lambda good: replace(
            good,
            bad_messages=["bad"],
            failed_messages=[failed("inventory", message_id="bad")],
        ),
    ),
    "two invoices": (Kind.TWICE, lambda good: replace(good, invoices=good.invoices * 2)),
    "two reservations": (
        Kind.TWICE,
        lambda good: replace(good, reservations=good.reservations * 2),
    ),
    "two orders for one key": (
        Kind.TWICE,
        lambda good: replace(good, orders=[*good.orders, {**good.orders[0], "_id": ObjectId()}]),
    ),
    "one failed message stored twice": (
        Kind.TWICE,
        lambda good: replace(good, failed_messages=[failed("billing"), failed("billing")]),
    ),
    "an invoice's number given out twice": (
        Kind.TWICE,
        lambda good: replace(good, numbers=["2026-000001", "2026-000001"]),
    ),
    "a number is missing": (
        Kind.LOST,
        lambda good: replace(good, numbers=["2026-000001", "2026-000003"]),
    ),
    "an invoice under another id": (
        Kind.TWICE,
        lambda good: replace(good, invoices=[*good.invoices, stray(good.invoices, USER)]),
    ),
    "a reservation for an order that nobody has": (
        Kind.CONTRADICTION,
        lambda good: replace(
            good, reservations=[*good.reservations, stray(good.reservations, USER + 1)]
        ),
    ),
    "a good order given up, beside its invoice": (
        Kind.DEAD_LETTERED,
        lambda good: replace(good, failed_messages=[failed("billing")]),
    ),
    "a good order given up in place of its invoice": (
        Kind.DEAD_LETTERED,
        lambda good: replace(good, invoices=[], numbers=[], failed_messages=[failed("billing")]),
    ),
    "a good order given up where another one was to fail": (
        Kind.DEAD_LETTERED,
        lambda good: replace(
            good,
            invoices=[],
            failed_messages=[failed("billing")],
            failing_users={"billing": {USER + 1}},
        ),
    ),
    "a good order given up where another service was to fail": (
        Kind.DEAD_LETTERED,
        lambda good: replace(
            good, failed_messages=[failed("billing")], failing_users={"inventory": {USER}}
        ),
    ),
    "no invoice, and its failed message is resolved": (
        Kind.LOST,
        lambda good: replace(
            good,
            invoices=[],
            failed_messages=[failed("billing") | {"status": "resolved"}],
            failing_users={"billing": {USER}},
        ),
    ),
    "an invoice without a number": (
        Kind.LOST,
        lambda good: replace(good, invoices=[good.invoices[0] | {"number": None}]),
    ),
    "a message of an order that nobody knows, given up": (
        Kind.DEAD_LETTERED,
        lambda good: replace(
            good, failed_messages=[{**failed("billing"), "order_id": str(ObjectId())}]
        ),
    ),
    "a failed message that does not excuse what the order says": (
        Kind.CONTRADICTION,
        lambda good: replace(
            good,
            orders=[{**good.orders[0], "status": "placed"}],
            failed_messages=[failed("orders", message_id="stock.reserved")],
        ),
    ),
    "an invoice for a rejected order": (
        Kind.CONTRADICTION,
        lambda good: replace(
            good, orders=[{**good.orders[0], "status": "rejected"}], products=product(8, 2)
        ),
    ),
    "an order that stays placed": (
        Kind.CONTRADICTION,
        lambda good: replace(good, orders=[{**good.orders[0], "status": "placed"}]),
    ),
    "an invoice about something else": (
        Kind.CONTRADICTION,
        lambda good: replace(
            good, invoices=[{**good.invoices[0], "items": [{"sku": "pen", "quantity": 1}]}]
        ),
    ),
    "negative stock": (Kind.STOCK, lambda good: replace(good, products=product(-1, 11))),
    "units vanished": (Kind.STOCK, lambda good: replace(good, products=product(7, 2))),
    "units reserved twice": (Kind.TWICE, lambda good: replace(good, products=product(6, 4))),
    "units that are reserved no more": (
        Kind.STOCK,
        lambda good: replace(good, products=product(10, 0)),
    ),
    "other units shipped than were ordered": (
        Kind.CONTRADICTION,
        lambda good: replace(
            good,
            orders=[{**good.orders[0], "ledger": {"inventory": {"state": "shipped"}}}],
            reservations=[
                {
                    **good.reservations[0],
                    "state": "shipped",
                    "items": [{"sku": "pen", "quantity": 1}],
                }
            ],
            products=product(9, 0, 1),
        ),
    ),
    "units shipped that belonged to no order": (
        Kind.TWICE,
        lambda good: replace(good, products=product(7, 2, 1)),
    ),
    "shipped, and its order does not know": (
        Kind.CONTRADICTION,
        lambda good: replace(
            good,
            reservations=[{**good.reservations[0], "state": "shipped"}],
            products=product(8, 0, 2),
        ),
    ),
    "the product is gone": (Kind.STOCK, lambda good: replace(good, products=[])),
    "refused, and yet there": (
        Kind.ANSWER,
        lambda good: replace(good, exchanges=[exchange("invalid", 400)]),
    ),
    "another order for the same key": (
        Kind.ANSWER,
        lambda good: replace(
            good, exchanges=[exchange(), exchange("again", order_id=str(ObjectId()))]
        ),
    ),
    "the order of another client": (
        Kind.ANSWER,
        lambda good: replace(
            good,
            orders=[*good.orders, {**good.orders[0], "_id": OTHER_ID, "user_id": USER + 1}],
            exchanges=[exchange(order_id=str(OTHER_ID))],
        ),
    ),
    "something that nobody asked for": (
        Kind.ANSWER,
        lambda good: replace(
            good, orders=[{**good.orders[0], "items": [{"sku": "pen", "quantity": 3}]}]
        ),
    ),
    "another body accepted under the key": (
        Kind.ANSWER,
        lambda good: replace(good, exchanges=[exchange(), exchange("other", 201)]),
    ),
    "an error of the server": (
        Kind.ANSWER,
        lambda good: replace(good, exchanges=[exchange(), exchange("again", 500)]),
    ),
    "a message waits": (
        Kind.QUEUE,
        lambda good: with_queue(good, "billing", messages_ready=1),
    ),
    "a message stays unacked": (
        Kind.QUEUE,
        lambda good: with_queue(good, "billing", messages_unacknowledged=1),
    ),
    "a dead letter is still on its way": (
        Kind.QUEUE,
        lambda good: with_queue(good, "billing.retry.1s", messages_dlx=1),
    ),
    "a queue is gone": (Kind.QUEUE, lambda good: replace(good, queues=good.queues[1:])),
    "nobody counts what is in a queue": (
        Kind.QUEUE,
        lambda good: replace(good, queues=[{"name": "inventory"}, *good.queues[1:]]),
    ),
    "not conserved": (
        Kind.CONSERVATION,
        lambda good: replace(good, conservation={**good.conservation, "conserved": False}),
    ),
    "an account without a service": (
        Kind.CONSERVATION,
        lambda good: replace(
            good, conservation={"conserved": True, "lines": good.conservation["lines"][:1]}
        ),
    ),
    "the line counts another sum": (Kind.CONSERVATION, lambda good: with_line(good, done=0)),
    "the line knows of more orders": (
        Kind.CONSERVATION,
        lambda good: with_line(good, accepted=2, done=2),
    ),
}


def test_a_credited_invoice_has_a_number_for_that() -> None:
    unnumbered = good("rejected").invoices[0] | {"credit_note_number": None}

    [found] = violations(replace(good("rejected"), invoices=[unnumbered]))

    assert found.kind == Kind.LOST


@pytest.mark.parametrize("status", ["confirmed", "rejected", "cancelled"])
def test_a_good_order_is_not_blamed(status: str) -> None:
    assert violations(good(status)) == []


def test_a_failed_message_explains_what_is_missing() -> None:
    explained = replace(
        good(),
        orders=[{**good().orders[0], "status": "placed"}],
        invoices=[],
        numbers=[],
        failed_messages=[failed("billing")],
        failing_users={"billing": {USER}},
    )

    assert violations(explained) == []


def test_a_message_that_nobody_can_handle_has_to_fail() -> None:
    letters = [failed(service, message_id="bad") for service in ("inventory", "billing")]

    assert violations(replace(good(), bad_messages=["bad"], failed_messages=letters)) == []


def test_a_lost_answer_may_have_left_the_order_that_the_repeat_finds() -> None:
    for status in (None, 503):
        assert violations(replace(good(), exchanges=[exchange(status=status), exchange()])) == []


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_is_named(broken: str) -> None:
    kind, break_it = BROKEN[broken]

    found = violations(break_it(good()))

    assert kind in {violation.kind for violation in found}, found


def test_an_order_that_the_restored_backup_lacked_may_be_gone_and_no_other() -> None:
    evidence = good()
    gone = replace(
        evidence,
        exchanges=[*evidence.exchanges, replace(exchange(order_id=str(OTHER_ID)), user_id=102)],
    )

    assert Kind.LOST in {each.kind for each in violations(gone)}
    assert violations(replace(gone, lacking={str(OTHER_ID): 102})) == []
    assert Kind.LOST in {
        each.kind for each in violations(replace(gone, lacking={str(ObjectId()): 102}))
    }


def test_after_a_restore_a_message_that_was_given_up_has_to_be_settled() -> None:
    def given_up(
        status: str,
        reason: str = "contradicts_record",
        *,
        service: str = "orders",
        **lacking: int,
    ) -> set[Kind]:
        message = failed(service) | {"status": status, "reason": reason}
        found = violations(replace(good(), failed_messages=[message], lacking=lacking))
        return {each.kind for each in found}

    other = {str(OTHER_ID): USER + 1}
    for service in ("orders", "inventory"):
        settled = given_up("resolved", service=service, **other)
        assert settled == given_up("discarded", service=service, **other) == set()
        assert given_up("failed", service=service, **other) == {Kind.DEAD_LETTERED}
        assert given_up("resolved", service=service) == {Kind.DEAD_LETTERED}
    assert given_up("resolved", "retries_exhausted", **other) == {Kind.DEAD_LETTERED}


def test_an_order_that_was_put_back_has_to_be_whole() -> None:
    put_back = replace(good(), lacking={ID: USER})

    assert violations(put_back) == []
    assert Kind.LOST in {each.kind for each in violations(replace(put_back, invoices=[]))}
