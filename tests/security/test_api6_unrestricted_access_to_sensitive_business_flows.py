"""API6:2023: placing orders is for people and shops; nobody places a great many by a program.

What is bounded is how many orders a client places, by whichever route. How many units is not: one
order has at most 1,000 lines of 10,000 units (tests/orders/test_order_request.py), and takes no
more than there is.
"""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from orders import placing
from orders.importing import batches, views
from ordersite.access import bearer
from ordersite.access.scopes import CUSTOMERS, SCOPES
from ordersite.web.rates import WINDOW_SECONDS, Rates, TooSoon
from runtime.requests import token_buckets
from runtime.requests.caller import Caller
from tests.asgi_client import scope_of

OF_AN_ADDRESS, OF_A_SHOP = 5, 50
CUSTOMER = Caller("key:c", "a customer's", CUSTOMERS, user_id=101)
SHOP = Caller("key:s", "a shop's", frozenset(SCOPES))


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_buckets, "time", SimpleNamespace(monotonic=lambda: 1_000.0))


@pytest.fixture
def nothing_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing.catalogue, "prices", lambda skus: {})
    monkeypatch.setattr(batches, "store", lambda documents: {})


def taken(rates: Rates, caller: Caller | None, paths: list[str], address: str = "10.0.0.1") -> int:
    """How many of these requests are let through, all at the same moment."""
    headers = {}
    if caller is not None:
        bearer.remembered.keep(bearer.digest_of(caller.id.encode()), caller, 60)
        headers["authorization"] = f"Bearer {caller.id}"
    count = 0
    for path in paths:
        try:
            rates.take(scope_of("POST", path, headers) | {"client": (address, 1)})
            count += 1
        except TooSoon:
            pass
    bearer.remembered.forget()
    return count


def test_a_customer_places_no_more_orders_than_a_person_would() -> None:
    rates = Rates(OF_AN_ADDRESS, OF_A_SHOP)
    paths = ["/orders", "/orders/import", "/orders/1/cancel"] * 100

    assert taken(rates, CUSTOMER, paths) == OF_AN_ADDRESS * WINDOW_SECONDS
    assert taken(rates, CUSTOMER, paths, address="10.0.0.2") == 0
    assert taken(rates, SHOP, paths * 2) == OF_A_SHOP * WINDOW_SECONDS
    assert taken(rates, None, paths) == OF_AN_ADDRESS * WINDOW_SECONDS


@pytest.mark.usefixtures("nothing_is_stored")
@pytest.mark.parametrize(("caller", "most"), [(CUSTOMER, 1_000), (SHOP, 3_000)])
def test_an_import_is_no_way_around_that(
    caller: Caller, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_REFUSED", 1_000_000)
    monkeypatch.setattr(views, "MAX_ORDERS", 3_000)
    monkeypatch.setattr(views, "entries", lambda request: iter(parsed(most + 1)))

    answer = views.ImportView().post(SimpleNamespace(auth=caller, META={}))  # type: ignore[arg-type]

    *_, sums = (json.loads(each) for each in answer.getvalue().splitlines())
    assert answer.status_code == 413
    assert sums["stoppedAtLine"] == most + 1
    assert f"{most:,} orders are the limit" in sums["detail"]


def parsed(count: int) -> Any:
    body = io.BytesIO(b'{"userId": 101, "items": ["book"]}\n' * count)
    return views.ndjson.entries(body)


def test_a_customer_gets_no_scope_that_changes_stock_or_acts_for_others() -> None:
    assert CUSTOMERS.isdisjoint({"stock:write", "orders:ship", "pipeline:read", "api-keys:write"})
    assert not any(scope.startswith("failed-messages:") for scope in CUSTOMERS)
