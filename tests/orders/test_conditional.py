"""A client reads an order only if it has changed, and cancels it only if it has not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orders import cancelling, ledger
from orders.collection import orders
from runtime.requests.refusal import Refusal
from tests.orders.conftest import Place


def cancel(client: Client, order_id: str, tag: str) -> Any:
    address, headers = f"/orders/{order_id}/cancel", {"if-match": tag}
    return client.post(address, "", content_type="application/json", headers=headers)


def test_an_order_that_a_client_has_is_not_sent_again(client: Client, place: Place) -> None:
    order_id = place()["orderId"]
    first = client.get(f"/orders/{order_id}")

    again = client.get(f"/orders/{order_id}", headers={"if-none-match": first["ETag"]})
    ledger.record(order_id, "inventory", "reserved")
    later = client.get(f"/orders/{order_id}", headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    # A cache would take a length of 0 for that of the order that it keeps.
    assert "Content-Length" in first
    assert "Content-Length" not in again
    assert later.status_code == 200
    assert later["ETag"] != first["ETag"]


def test_only_the_order_that_was_seen_is_cancelled(client: Client, place: Place) -> None:
    order_id = place()["orderId"]
    seen = client.get(f"/orders/{order_id}")["ETag"]
    ledger.record(order_id, "inventory", "reserved")

    late = cancel(client, order_id, seen)
    now = cancel(client, order_id, client.get(f"/orders/{order_id}")["ETag"])
    again = cancel(client, order_id, now["ETag"])

    assert (late.status_code, now.status_code, again.status_code) == (412, 200, 200)
    assert late["Content-Type"] == "application/problem+json"
    assert late.json()["errors"][0]["field"] == "If-Match"
    assert client.get(f"/orders/{order_id}")["ETag"] == now["ETag"] == again["ETag"]


@pytest.mark.parametrize("tag", ['"x"', "x", "", 'W/"x"', '"x", "y"'])
def test_another_tag_cancels_nothing(client: Client, place: Place, tag: str) -> None:
    order_id = place()["orderId"]

    assert cancel(client, order_id, tag).status_code == 412
    assert client.get(f"/orders/{order_id}").json()["status"] == "placed"


@pytest.mark.parametrize("form", ["*", "W/{}", '"x", {}'])
def test_a_proxy_may_have_marked_the_tag(client: Client, place: Place, form: str) -> None:
    order_id = place()["orderId"]
    tag = client.get(f"/orders/{order_id}")["ETag"]

    assert cancel(client, order_id, form.format(tag)).status_code == 200


def test_an_order_that_changes_while_it_is_cancelled_is_not(place: Place) -> None:
    order_id = place()["orderId"]
    [seen] = orders().find({})
    ledger.record(order_id, "inventory", "reserved")

    with pytest.raises(Refusal) as refused:
        cancelling.cancel(seen["_id"], "ordered twice", seen)

    assert refused.value.status_code == 412
