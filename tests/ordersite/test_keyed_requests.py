"""A write that is sent again with its key acts once, and gets the first answer again."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from failed_messages.models import AuditEntry, FailedMessage
from inventory.recounting import recount
from inventory.reserving import reserve
from ordersite.access import keys
from ordersite.keyed_requests import personal_data
from ordersite.keyed_requests.store import CLAIM_SECONDS, Claim, claim, keyed_requests
from runtime.personal_data import Person
from runtime.requests.refusal import Refusal
from tests.concurrency import at_once
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place
from tests.inventory.catalogue import order, stocked
from webhooks import managing

pytestmark = pytest.mark.usefixtures("clean")

GLOBE = {"sku": "globe", "name": "Globe", "price": "54.00", "available": 5}


def send(client: Client, path: str, body: Any, key: str = "k", method: str = "POST") -> Any:
    data = body if isinstance(body, str) else json.dumps(body)
    headers = {"idempotency-key": key}
    return client.generic(method, path, data, "application/json", headers=headers)


def writes() -> dict[str, tuple[str, Any]]:
    """A request for every kind of write: its address and its body."""
    stocked(pen=5)
    shipped, cancelled = str(place()["_id"]), str(place()["_id"])
    reserve(order(shipped, pen=1))
    ids = [failed(message_id=name).pk for name in ("a", "b", "c")]
    return {
        "ship": (f"/inventory/reservations/{shipped}/ship", {"force": True, "reason": "paid"}),
        "cancel": (f"/orders/{cancelled}/cancel", {"reason": "Ordered twice"}),
        "discard": (f"/failed-messages/{ids[0]}/discard", {"reason": "not ours"}),
        "bulk replay": ("/failed-messages/replay", {"filter": "service=billing", "reason": "x"}),
        "policy": ("/failed-messages/policies", {"service": "billing", "after": ["15m"]}),
        "add": ("/products", GLOBE),
        "withdraw": ("/products/pen/withdraw", {}),
    }


def test_every_write_acts_once_for_a_key() -> None:
    client = staff()
    for name, (path, body) in writes().items():
        first = send(client, path, body, key=name)
        acts = AuditEntry.objects.count()
        again = send(client, path, body, key=f'"{name}"')

        assert first.status_code < 300, (name, first.content)
        assert (again.status_code, again.content) == (first.status_code, first.content), name
        assert again["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert AuditEntry.objects.count() == acts, name
        assert send(client, path, {**body, "reason": "other"}, key=name).status_code == 422, name
    assert recount().differences == []


#: An act, a request of it, and others that say the same.
SAME: dict[str, tuple[Any, list[Any]]] = {
    "cancel": ({}, ["", {"reason": None}]),
    "withdraw": ("", [{}, None]),
    "ship": ({"force": True, "reason": "paid"}, [' { "reason":"p\\u0061id" , "force":true}']),
    "add": (GLOBE, [dict(reversed(GLOBE.items()))]),
}


@pytest.mark.parametrize("act", SAME)
def test_a_repeat_that_says_the_same_in_another_form_is_the_same_request(act: str) -> None:
    client, (path, _) = staff(), writes()[act]
    first, others = SAME[act]

    answer = send(client, path, first)

    assert answer.status_code < 300, answer.content
    for other in others:
        again = send(client, path, other)
        assert (again.status_code, again.content) == (answer.status_code, answer.content), other


def test_an_id_in_capitals_is_the_same_request() -> None:
    client, order_id = staff(), str(place()["_id"])

    first = send(client, f"/orders/{order_id}/cancel", {})
    again = send(client, f"/orders/{order_id.upper()}/cancel", {})

    assert (first.status_code, again.status_code) == (200, 200)
    assert again["Idempotent-Replayed"] == "true"


def test_an_id_of_another_kind_in_capitals_is_the_same_request(settings: Any) -> None:
    settings.WEBHOOKS = True
    client, group = staff(), failed().fingerprint
    made = managing.create(
        "https://shop.example.com/", ["order.placed"], user_id=None, description="", by="me"
    ).endpoint["_id"]
    key = keys.create("a shop", ["orders:read"], by="me", user_id=None).record.pk
    send(client, "/failed-messages/policies", {"group": group, "after": ["15m"]}, key="set")
    for number, (method, path, id_, body) in enumerate(
        [
            ("POST", "/webhooks/endpoints/{}/disable", made, {}),
            ("POST", "/api-keys/{}/revoke", key, {}),
            ("PATCH", "/failed-messages/groups/{}", group, {"owner": "me"}),
            ("DELETE", "/failed-messages/policies/group%20{}", group, ""),
        ]
    ):
        first, again = (
            send(client, path.format(each), body, key=f"k{number}", method=method)
            for each in (id_, id_.upper())
        )

        assert (first.status_code, again.status_code) == (200, 200), (path, again.content)
        assert again["Idempotent-Replayed"] == "true"


def test_a_foreign_orders_id_in_capitals_is_another_request() -> None:
    client, forced = staff(), {"force": True, "reason": "paid"}
    stocked(pen=5)
    reserve(order("shop-1", pen=1))

    first = send(client, "/inventory/reservations/shop-1/ship", forced)
    other = send(client, "/inventory/reservations/Shop-1/ship", forced)

    assert (first.status_code, other.status_code) == (200, 422)


def test_a_sku_in_capitals_is_another_request() -> None:
    client = staff()
    stocked(pen=5, PEN=5)

    send(client, "/products/pen/withdraw", {})

    assert send(client, "/products/PEN/withdraw", {}).status_code == 422


def test_what_was_refused_frees_its_key() -> None:
    client = staff()

    wrong = send(client, "/products", GLOBE | {"price": "x"})
    right = send(client, "/products", GLOBE)

    assert (wrong.status_code, right.status_code) == (400, 201)
    assert send(client, "/products", GLOBE | {"price": "1.00"}).status_code == 422


@pytest.mark.parametrize("key", ["", "k" * 256, "a,b"])
def test_a_key_that_is_none_is_named(key: str) -> None:
    answer = send(staff(), "/products", GLOBE, key=key)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_many_at_once_act_once() -> None:
    message, client = failed(), staff()
    path = f"/failed-messages/{message.pk}/discard"

    answers = at_once([lambda: send(client, path, {"reason": "not ours"})] * 8)

    assert {each.status_code for each in answers} <= {200, 409}
    assert 200 in {each.status_code for each in answers}
    assert FailedMessage.objects.get().status == "discarded"


def test_a_key_belongs_to_its_client() -> None:
    stocked(pen=1)
    clients = []
    for name in ("a", "b"):
        made = keys.create(name, ["catalogue:write", "catalogue:read"], by="test", user_id=None)
        bearer = f"Bearer {made.secret}"
        clients.append(Client(headers={"host": "localhost", "authorization": bearer}))

    first, second = (send(each, "/products/pen/withdraw", {}) for each in clients)

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Idempotent-Replayed" not in second


def test_a_secret_is_not_kept() -> None:
    body = {"name": "a shop", "userId": None, "scopes": ["orders:read"]}

    made = send(staff(), "/api-keys", body)

    assert made.status_code == 201
    assert keyed_requests().count_documents({}) == 0


def test_a_key_whose_process_is_gone_is_free_after_a_while() -> None:
    assert isinstance(claim("k", "a"), Claim)
    with pytest.raises(Refusal) as refused:
        claim("k", "a")
    assert refused.value.status_code == 409

    past = datetime.now(UTC) - timedelta(seconds=CLAIM_SECONDS + 1)
    keyed_requests().update_one({"_id": "k"}, {"$set": {"claimed_at": past}})

    assert isinstance(claim("k", "a"), Claim)


def test_a_key_of_the_future_is_free() -> None:
    """MongoDB's clock was ahead, or another primary's is, and the process is gone."""
    assert isinstance(claim("k", "a"), Claim)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    keyed_requests().update_one({"_id": "k"}, {"$set": {"claimed_at": ahead}})

    assert isinstance(claim("k", "a"), Claim)


def test_the_clock_of_one_machine_frees_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is an hour ahead would act beside the request that is at work."""
    assert isinstance(claim("k", "a"), Claim)
    ahead = time.time_ns() + 3_600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: ahead)

    with pytest.raises(Refusal):
        claim("k", "a")


def test_a_key_is_forgotten_after_its_hours() -> None:
    claim("k", "a")
    [stored] = keyed_requests().find({})
    kept = stored["expires_at"] - stored["claimed_at"]
    assert kept == timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)

    past = datetime.now(UTC) - timedelta(seconds=1)
    keyed_requests().update_one({"_id": "k"}, {"$set": {"expires_at": past}})

    assert isinstance(claim("k", "b"), Claim)
    [expiry] = [each for each in keyed_requests().list_indexes() if "expireAfterSeconds" in each]
    assert dict(expiry["key"]) == {"expires_at": 1}


def test_what_is_kept_of_a_person_is_exported_and_erased() -> None:
    user_id = place()["user_id"]
    [stored] = connection.database["orders"].find({})
    send(staff(), f"/orders/{stored['_id']}/cancel", {"reason": "x"})

    assert len(list(personal_data.export(user_id))) == 1
    assert not list(personal_data.export(user_id * 10))
    until = datetime.now(UTC) + timedelta(seconds=1)
    erased = personal_data.erase(Person(user_id, pseudonym=2**52, until=until))

    assert erased.erased == 1
    assert keyed_requests().count_documents({}) == 0
