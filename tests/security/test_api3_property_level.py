"""OWASP API3:2023: nobody sets or sees a property that is not theirs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from orders.collection import orders
from ordersite.access import keys
from ordersite.access.models import ApiKey
from tests.concurrency import at_once
from tests.failed_messages import stored_orders
from tests.failed_messages.letters import failed
from tests.security.conftest import WithKey, client_of, secret

ORDER = {"userId": 101, "items": ["book"]}
KEY = {"name": "a shop", "userId": None, "scopes": ["orders:read"]}


def post(client: Client, path: str, body: Any) -> HttpResponse:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_a_request_that_is_sent_again_makes_one_key(with_key: WithKey) -> None:
    client = with_key("api-keys:*", "orders:read")
    asked = {"content_type": "application/json", "headers": {"idempotency-key": "k"}}

    made, again = (client.post("/api-keys", json.dumps(KEY), **asked) for _ in range(2))
    rotated, twice = (post(client, f"/api-keys/{made.json()['id']}/rotate", {}) for _ in range(2))

    assert (made.status_code, again.status_code) == (201, 409)
    assert again.json()["type"].endswith("/key-made-before")
    assert (rotated.status_code, twice.status_code) == (201, 409)
    assert ApiKey.objects.filter(name=KEY["name"]).count() == 2


@pytest.mark.parametrize(
    "more",
    [
        *({"total": "0.01"}, {"status": "confirmed"}, {"orderId": "a" * 24}, {"price": 0}),
        *({"currency": "XXX"}, {"createdAt": "2020-01-01"}, {"ledger": {}}, {"_id": 1}),
        *({"user_id": 102}, {"userid": 102}, {"idempotency_key": "k"}, {"awaited": []}),
        {"items": [{"sku": "book", "quantity": 1, "unitPrice": "0.01"}]},
        {"items": [{"sku": "book", "quantity": 1, "unit_price": "0.01"}]},
    ],
    ids=str,
)
def test_an_order_has_what_a_customer_may_say_and_no_more(with_key: WithKey, more: Any) -> None:
    client = with_key("orders:place", user_id=101)

    assert post(client, "/orders", ORDER | more).status_code == 400
    assert orders().count_documents({}) == 0


@pytest.mark.parametrize(
    "more",
    [
        *({"client": "x"}, {"digest": "x"}, {"createdBy": "root"}, {"revokedAt": None}),
        *({"id": "x"}, {"key": "ordersite_x"}, {"expiresAt": None}, {"lastUsedAt": None}),
        *({"scopes": []}, {"scopes": ["root"]}, {"scopes": ["*"]}, {"userId": {"$gt": 0}}),
        *({"userId": "101"}, {"userId": 0}, {"expiresInDays": 0}, {"requestsPerSecond": -1}),
        {"userId": 101, "scopes": ["stock:write"]},
    ],
    ids=str,
)
def test_a_key_is_what_whoever_makes_it_may_say(with_key: WithKey, more: Any) -> None:
    client = with_key("api-keys:*", "orders:read", "stock:write")

    assert post(client, "/api-keys", KEY | more).status_code == 400
    assert ApiKey.objects.count() == 1


def test_all_that_is_wrong_in_a_key_is_told(with_key: WithKey) -> None:
    client = with_key("api-keys:*")

    def wrong(**body: Any) -> list[str]:
        return [each["field"] for each in post(client, "/api-keys", body).json()["errors"]]

    scopes = ["orders:read", "orders:eat", "stock:write", "root"]
    assert wrong(name="a\nb", userId=101, scopes=scopes) == [
        *("name", "scopes[1]", "scopes[2]", "scopes[3]")
    ]
    assert wrong(name="", userId="101", scopes=["root"]) == ["name", "userId", "scopes[0]"]
    assert wrong(userId=101, scopes=[7], name="a\nb") == ["scopes[0]", "name"]


def test_nobody_gives_or_rotates_a_scope_that_they_lack(with_key: WithKey) -> None:
    client = with_key("api-keys:*")
    with_key("failed-messages:*")
    [strong] = ApiKey.objects.exclude(scopes__contains=["api-keys:read"])

    made = post(client, "/api-keys", KEY | {"scopes": ["api-keys:read", "stock:write"]})
    rotated = post(client, f"/api-keys/{strong.pk}/rotate", {})

    assert (made.status_code, rotated.status_code) == (403, 403)
    assert 'scope="stock:write"' in made["WWW-Authenticate"]
    assert ApiKey.objects.count() == 2


@pytest.mark.usefixtures("closed")
def test_no_key_makes_one_that_lives_longer_or_sends_more_than_itself() -> None:
    client = client_of(secret("api-keys:*", lifetime=timedelta(days=30), rate=20))

    def made(**fields: Any) -> HttpResponse:
        return post(client, "/api-keys", KEY | {"scopes": ["api-keys:read"]} | fields)

    for fields in (
        *({"expiresInDays": 30}, {"expiresInDays": None}, {"requestsPerSecond": 21}),
        {"userId": 101, "scopes": ["orders:read"], "requestsPerSecond": 10_000},
    ):
        answer = made(**fields)
        assert answer.status_code == 403, fields
    told = made(expiresInDays=365).json()["errors"]
    assert told[0]["field"] == "expiresInDays"
    assert "your own key, in 29 days" in told[0]["detail"]
    assert ApiKey.objects.count() == 1

    assert made(expiresInDays=29, requestsPerSecond=20).status_code == 201
    assert made().status_code == 201
    [own, *others] = ApiKey.objects.order_by("created_at")
    assert all(each.expires_at <= own.expires_at and each.rate == 20 for each in others)


@pytest.mark.usefixtures("closed")
def test_a_key_that_was_rotated_does_not_live_on_in_what_follows_its_successor() -> None:
    """It may have leaked, and that is why it was rotated."""
    client = client_of(secret("api-keys:*", lifetime=timedelta(days=365)))
    successor = post(client, f"/api-keys/{ApiKey.objects.get().pk}/rotate", {}).json()
    ends_at = ApiKey.objects.get(pk=successor["client"]).expires_at

    third = post(client, f"/api-keys/{successor['id']}/rotate", {"overlapHours": 0}).json()
    made = post(client, "/api-keys", KEY | {"scopes": ["api-keys:read"]}).json()

    for each in (third, made):
        assert ApiKey.objects.get(pk=each["id"]).expires_at <= ends_at


@pytest.mark.usefixtures("closed")
def test_no_key_gets_by_rotation_what_it_cannot_make() -> None:
    client = client_of(secret("api-keys:*", lifetime=timedelta(days=30), rate=20))
    long_lived, fast = (
        keys.create("a shop", ["api-keys:read"], by="anna", user_id=None, **more).record
        for more in ({"lifetime": None, "rate": 1}, {"rate": 21})
    )
    own = ApiKey.objects.get(rate=20)

    answer = post(client, f"/api-keys/{fast.pk}/rotate", {})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "key")
    assert post(client, f"/api-keys/{long_lived.pk}/rotate", {}).status_code == 201
    assert ApiKey.objects.filter(client=long_lived.pk).latest("created_at").expires_at == (
        own.expires_at
    )
    # A client that renews its own key does so for as long as it is not revoked.
    assert post(client, f"/api-keys/{own.pk}/rotate", {}).status_code == 201


@pytest.mark.usefixtures("closed")
def test_of_two_rotations_of_a_key_at_one_moment_one_is_done() -> None:
    made = keys.create("a shop", ["orders:read"], by="anna", user_id=None).record

    def rotate() -> Any:
        try:
            return keys.rotate(made.pk, by="anna").record.pk
        except keys.InvalidKey as error:
            return str(error)

    done = at_once([rotate] * 4)

    follower = ApiKey.objects.exclude(pk=made.pk).get()
    assert done.count(follower.pk) == 1
    assert done.count(f"was rotated to {follower.pk} before; rotate that one") == 3
    assert ApiKey.objects.count() == 2


def test_a_customer_is_told_of_a_failure_and_not_of_its_inside(with_key: WithKey) -> None:
    order = stored_orders.place()
    failed(correlation_id=str(order["_id"]), body=stored_orders.placed_body(order))
    path = f"/orders/{order['_id']}/timeline"

    told, inside = (with_key("orders:read", user_id=user_id).get(path) for user_id in (101, None))

    assert [each["outcome"] for each in told.json()["steps"]] == [
        each["outcome"] for each in inside.json()["steps"]
    ]
    assert "gave up" in inside.content.decode()
    assert {each["failedMessageId"] for each in told.json()["steps"]} == {None}
    of_failures = [each for each in told.json()["steps"] if each["kind"] == "failed"]
    assert {each["detail"] for each in of_failures} == {None}
    assert any(each["failedMessageId"] for each in inside.json()["steps"])


def test_a_key_is_made_shown_once_rotated_and_revoked_over_http(with_key: WithKey) -> None:
    client = with_key("api-keys:*", "orders:read")

    made = post(client, "/api-keys", KEY)
    id_ = made.json()["id"]
    rotated = post(client, f"/api-keys/{id_}/rotate", {})
    revoked = post(client, f"/api-keys/{id_}/revoke", {})
    again = post(client, f"/api-keys/{id_}/rotate", {})
    listed = client.get("/api-keys")

    assert [each.status_code for each in (made, rotated, revoked, again)] == [201, 201, 200, 409]
    assert made["Cache-Control"] == "no-store"
    assert rotated.json()["client"] == made.json()["client"]
    assert revoked.json() == client.get(f"/api-keys/{id_}").json()
    states = {each["id"]: each["state"] for each in listed.json()["items"]}
    assert (states[id_], states[rotated.json()["id"]]) == ("revoked", "active")
    assert "digest" not in listed.content.decode()
    assert made.json()["key"] not in listed.content.decode()
    assert client.get("/api-keys/nobody").status_code == 404
