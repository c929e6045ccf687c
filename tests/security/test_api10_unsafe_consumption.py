"""API10, unsafe consumption: no message is believed for being there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.test import override_settings

from billing.order_in_message import read_withdrawn
from messaging.certificate import Reason
from messaging.errors import InvalidMessage
from messaging.handling.call import Answers, BatchCall
from messaging.handling.contents_middleware import check_contents
from messaging.handling.handlers import HANDLERS
from messaging.trust.contents import found_out
from messaging.trust.users import user_of
from tests.security.believed_records import CANCELLED, HAPPENED, PLACED, stored
from webhooks.noting import payload
from webhooks.order_in_message import read

__all__ = ["stored"]
pytestmark = pytest.mark.usefixtures("stored")

UNKNOWN = "f" * 24


def told(type_: str, order_id: str) -> dict[str, Any]:
    return msgspec.to_builtins(HAPPENED[type_][order_id])


def problem(type_: str, body: Any, publisher: str = "") -> InvalidMessage | None:
    return found_out(type_, [body], [publisher]).wrong.get(0)


TRUE = told("order.placed", PLACED)
ITEMS = TRUE["items"]

AMOUNTS = ["0.01", "0", "0.00", "-12.50", "12.51", "1250", "1e1", "NaN", "", 12.5, 0, None, [], {}]
PLACED_OTHERWISE: list[dict[str, Any]] = [
    *({"total": amount} for amount in AMOUNTS),
    *({"items": [{**ITEMS[0], "unitPrice": amount}, ITEMS[1]]} for amount in AMOUNTS),
    *({"items": [{**ITEMS[0], "quantity": n}, ITEMS[1]]} for n in (1, 3, 0, -2, "2", True, None)),
    *({"items": [{**ITEMS[0], "sku": sku}, ITEMS[1]]} for sku in ("PEN", "book", "", 1, None)),
    *({"userId": user} for user in (102, "101", True, None, 101.5, [101], {"$gt": 0})),
    *({"currency": each} for each in ("USD", "eur", "", None, ["EUR"])),
    *({"items": each} for each in ([], ITEMS[:1], ITEMS[::-1], [*ITEMS, ITEMS[0]], None, "pen", 1)),
    *({"items": each} for each in (["pen", "pen", "book"], {"0": ITEMS[0]}, [ITEMS, []])),
    {"items": [{**ITEMS[0], "unitPrice": "0.01"}, ITEMS[1]], "total": "1.01"},
    {"orderId": PLACED.upper(), "total": "0.01"},
    {"status": "confirmed", "total": "0.01"},
]


@pytest.mark.parametrize("changed", PLACED_OTHERWISE, ids=map(str, range(len(PLACED_OTHERWISE))))
def test_an_order_of_ours_is_believed_as_it_is_stored_alone(changed: dict[str, Any]) -> None:
    found = problem("order.placed", TRUE | changed, "anyone")

    assert found is not None
    assert found.reason == Reason.CONTRADICTS_RECORD
    [name, *_] = changed.keys() - {"orderId", "status"}
    assert name in str(found)


def test_the_difference_is_shown() -> None:
    cheap = [{**ITEMS[0], "unitPrice": "0.01"}, ITEMS[1]]

    found = problem("order.placed", TRUE | {"items": cheap, "total": "1.01"})

    assert str(found) == (
        "it is not what orders stored: "
        'items[0].unitPrice is "0.01", not "12.50"; total is "1.01", not "25.99"'
    )


NEVER = [
    ("order.cancelled", PLACED, {"userId": 101}),
    ("order.rejected", PLACED, {"userId": 101, "reason": "Out of stock"}),
    ("order.confirmed", CANCELLED, TRUE),
    ("billing.invoiced", PLACED, {"userId": 101, "total": "25.99", "invoiceNumber": "2026-000009"}),
    ("billing.credited", PLACED, {"userId": 101, "total": "25.99"}),
    ("inventory.shipped", PLACED, {"userId": 101, "items": [{"sku": "pen", "quantity": 2}]}),
    ("inventory.released", PLACED, {"userId": 101, "items": []}),
    ("inventory.rejected", PLACED, {"userId": 101, "reason": "none left"}),
    ("inventory.reserved", CANCELLED, {"userId": 101, "items": []}),
]


@pytest.mark.parametrize(("type_", "order_id", "fields"), NEVER)
def test_what_never_happened_is_not_believed(
    type_: str, order_id: str, fields: dict[str, Any]
) -> None:
    found = problem(type_, {**fields, "orderId": order_id})

    assert found is not None
    assert (found.reason, type_ in str(found)) == (Reason.CONTRADICTS_RECORD, True)


#: Whoever is not a process that publishes orders' events, our own among them.
OTHERS = ["", "shop", "guest", "*", *map(user_of, ("web", "billing", "orders", "operator"))]
#: The names of our own differ from one process of the tests to the next.
each_other = pytest.mark.parametrize("publisher", OTHERS, ids=[*map(str, range(len(OTHERS)))])


@each_other
@override_settings(EXTERNAL_PUBLISHERS=["node:order.placed"])
def test_an_order_of_nobody_needs_a_publisher_that_is_listed(publisher: str) -> None:
    found = problem("order.placed", TRUE | {"orderId": UNKNOWN}, publisher)

    assert found is not None
    assert found.reason == Reason.UNTRUSTED_PUBLISHER
    assert f"add {publisher or '*'}:order.placed to EXTERNAL_PUBLISHERS" in str(found)


@each_other
def test_nobody_is_believed_against_what_is_stored(publisher: str) -> None:
    assert problem("order.placed", TRUE | {"total": "0.01"}, publisher) is not None
    assert problem("order.cancelled", TRUE, publisher) is not None


@pytest.mark.parametrize("listed", ["shop:order.placed", "shop:*", "*:order.placed", "*:*"])
def test_a_listed_publisher_has_orders_of_its_own_alone(listed: str) -> None:
    shop = "shop"
    with override_settings(EXTERNAL_PUBLISHERS=[listed]):
        assert problem("order.placed", TRUE | {"orderId": UNKNOWN}, shop) is None
        assert problem("order.placed", TRUE | {"total": "0.01"}, shop) is not None
        assert problem("order.cancelled", {"orderId": PLACED}, shop) is not None


@pytest.mark.parametrize(
    "listed", [[], ["node:order.placed"], ["shop:order.cancelled"], ["SHOP:order.placed"]]
)
def test_the_list_names_a_user_and_a_type(listed: list[str]) -> None:
    with override_settings(EXTERNAL_PUBLISHERS=listed):
        body = TRUE | {"orderId": UNKNOWN}
        assert problem("order.placed", body, "shop") is not None


SAME = [
    TRUE,
    dict(reversed(TRUE.items())),
    TRUE | {"note": "of the desk", "$where": "1"},
    TRUE | {"orderId": PLACED.upper()},
    TRUE | {"total": "25.990", "items": [{**ITEMS[0], "unitPrice": "12.5"}, ITEMS[1]]},
    {name: value for name, value in TRUE.items() if name not in ("status", "createdAt")},
    TRUE | {"createdAt": "2026-11-28T01:00:00+01:00", "status": "whatever"},
]


@pytest.mark.parametrize("body", SAME, ids=map(str, range(len(SAME))))
@override_settings(EXTERNAL_PUBLISHERS=[])
def test_what_says_the_same_in_other_words_is_believed(body: Any) -> None:
    assert problem("order.placed", body) is None


@override_settings(EXTERNAL_PUBLISHERS=[])
def test_what_the_publishing_process_says_costs_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.trust.contents.recorded", lambda *_: pytest.fail("a query"))

    assert problem("order.placed", TRUE | {"orderId": UNKNOWN}, user_of("relay")) is None
    assert problem("billing.invoiced", {"orderId": PLACED}, user_of("billing")) is None
    assert problem("inventory.shipped", {"orderId": PLACED}, user_of("inventory")) is None


@override_settings(EXTERNAL_PUBLISHERS=[])
def test_the_true_ones_among_many_are_found() -> None:
    bodies = [TRUE | {"total": "0.01"}, TRUE, told("order.placed", CANCELLED), {}, {"orderId": []}]

    assert found_out("order.placed", bodies, [""] * 5).wrong.keys() == {0, 3, 4}


def handled(type_: str, bodies: Sequence[Any], publishers: Sequence[str]) -> list[Any]:
    """What billing's handler gets of these bodies."""
    handler = HANDLERS["billing", type_]
    raw = [json.dumps(body).encode() for body in bodies]
    call = BatchCall(service="billing", type=type_, handler=handler, raw=raw, publishers=publishers)
    call.bodies, call.indexes = [*bodies], range(len(raw))
    got: list[Any] = []

    def go_on() -> Answers:
        got.extend(call.bodies)
        return [[] for _ in call.bodies]

    check_contents(call, go_on)
    return got


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.cancelled"])
def test_no_other_reason_reaches_a_credit_note_or_a_webhook() -> None:
    true = told("order.cancelled", CANCELLED)
    forged = true | {"reason": "call 0900-1234", "refundAt": "https://evil.example"}

    for publisher in ("shop", user_of("web"), ""):
        [body] = handled("order.cancelled", [forged], [publisher])
        assert read_withdrawn(body).reason == "changed my mind"
        sent = json.loads(payload("order.cancelled", body, read(body), datetime.now(UTC)))
        assert sent.keys() - {"type", "timestamp"} == true.keys()
        assert sent["reason"] == "changed my mind"


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.cancelled"])
def test_a_reason_is_told_where_there_is_nothing_else_to_go_by() -> None:
    newer = told("order.cancelled", CANCELLED) | {"reason": "new", "channel": "of a newer release"}
    theirs = {"orderId": UNKNOWN, "userId": 101, "reason": "Sold out", "note": "by the shop"}

    assert handled("order.cancelled", [newer], [user_of("relay")]) == [newer]
    assert handled("order.cancelled", [theirs], ["shop"]) == [theirs]


@override_settings(EXTERNAL_PUBLISHERS=[])
def test_of_many_each_is_handled_as_it_is_stored() -> None:
    first, second = TRUE | {"status": "whatever"}, told("order.placed", CANCELLED)
    wrong, ours = TRUE | {"total": "0.01"}, TRUE | {"orderId": UNKNOWN}
    bodies, publishers = [wrong, first, ours, second], ["", "", user_of("relay"), ""]

    assert handled("order.placed", bodies, publishers) == [TRUE, ours, second]
