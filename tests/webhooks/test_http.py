"""Endpoints over HTTP: their owners manage them, nobody else, and a secret is shown once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.security.conftest import WithKey, closed, closed_api, products, with_key  # noqa: F401
from tests.webhooks.events import answered, heard_of
from webhooks import managing
from webhooks.disabling import disable
from webhooks.managing import MOST_OF_A_CUSTOMER
from webhooks.sending import Sent
from webhooks.store import deliveries, endpoints

pytestmark = pytest.mark.usefixtures("db")

ENDPOINTS = "/webhooks/endpoints"
URL = "https://shop.example.com/webhooks"
NEW = {"url": URL, "types": ["order.placed", "order.confirmed"]}
SCOPES = ("webhooks:read", "webhooks:manage")
OF_AN_ENDPOINT = (
    *(("GET", "", None), ("PATCH", "", {"description": "mine"}), ("DELETE", "", None)),
    *(("POST", "/rotate-secret", None), ("POST", "/enable", None), ("POST", "/disable", None)),
    *(("POST", "/test", None), ("GET", "/deliveries", None)),
    ("POST", "/send-again", {"since": "2026-01-31T12:00:00Z"}),
)


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False


@pytest.fixture
def customer(with_key: WithKey) -> Client:  # noqa: F811
    return with_key(*SCOPES, user_id=101)


@pytest.fixture
def other(with_key: WithKey) -> Client:  # noqa: F811
    return with_key(*SCOPES, user_id=202)


@pytest.fixture
def shop(with_key: WithKey) -> Client:  # noqa: F811
    return with_key(*SCOPES)


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = "" if body is None else json.dumps(body)
    return client.generic(method, path, data, "application/json", headers=named)


def made(client: Client, **body: Any) -> dict[str, Any]:
    answer = send(client, "POST", ENDPOINTS, {**NEW, **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def failed_delivery(endpoint_id: str) -> str:
    heard_of()
    stored = deliveries().find_one({"endpoint": endpoint_id})
    assert stored is not None
    answered({**stored, "tries": 99}, Sent(datetime.now(UTC), 7, {"webhook-id": "x"}, 500, "oops"))
    return str(stored["_id"])


def test_a_customer_makes_an_endpoint_and_sees_its_secret_once(customer: Client) -> None:
    answer = send(customer, "POST", ENDPOINTS, NEW)

    shown = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert answer["Location"] == f"{ENDPOINTS}/{shown['endpointId']}"
    assert (shown["userId"], shown["state"], shown["secrets"]) == (101, "enabled", 1)
    secret = shown["secret"]
    assert secret.startswith("whsec_")
    for path in (ENDPOINTS, answer["Location"], f"{answer['Location']}/deliveries"):
        assert "whsec_" not in customer.get(path).content.decode()


def test_an_endpoint_in_anothers_name_is_refused(customer: Client) -> None:
    answer = send(customer, "POST", ENDPOINTS, {**NEW, "userId": 202})

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["field"] == "userId"


def test_a_shop_makes_one_for_all_orders_or_for_a_customer(shop: Client, customer: Client) -> None:
    assert made(shop)["userId"] is None
    theirs = made(shop, userId=101)

    assert [each["endpointId"] for each in customer.get(ENDPOINTS).json()["endpoints"]] == [
        theirs["endpointId"]
    ]
    assert len(shop.get(ENDPOINTS).json()["endpoints"]) == 2
    assert len(shop.get(f"{ENDPOINTS}?userId=101").json()["endpoints"]) == 1


def test_anothers_endpoint_is_as_one_that_is_not_there(
    customer: Client, other: Client, shop: Client
) -> None:
    """By every route."""
    for owner in (customer, shop):
        id_ = made(owner)["endpointId"]
        before = endpoints().find_one({"_id": id_})

        for method, rest, body in OF_AN_ENDPOINT:
            theirs = send(other, method, f"{ENDPOINTS}/{id_}{rest}", body)
            none = send(other, method, f"{ENDPOINTS}/{'f' * 16}{rest}", body)

            assert (theirs.status_code, none.status_code) == (404, 404), (method, rest)
            assert theirs.json()["type"] == none.json()["type"]
        assert endpoints().find_one({"_id": id_}) == before


def test_anothers_delivery_is_as_one_that_is_not_there(customer: Client, other: Client) -> None:
    id_ = failed_delivery(made(customer)["endpointId"])

    assert customer.get(f"/webhooks/deliveries/{id_}").status_code == 200
    assert other.get(f"/webhooks/deliveries/{id_}").status_code == 404
    assert send(other, "POST", f"/webhooks/deliveries/{id_}/send-again").status_code == 404


def test_the_log_has_request_and_answer(customer: Client) -> None:
    endpoint_id = made(customer)["endpointId"]
    id_ = failed_delivery(endpoint_id)

    listed = customer.get(f"{ENDPOINTS}/{endpoint_id}/deliveries?state=failed").json()
    shown = customer.get(f"/webhooks/deliveries/{id_.upper()}").json()

    assert [each["deliveryId"] for each in listed["deliveries"]] == [id_]
    assert shown["body"]["orderId"] == "674300000000000000000001"
    (attempt,) = shown["attempts"]
    assert (attempt["status"], attempt["answer"], attempt["milliseconds"]) == (500, "oops", 7)
    assert attempt["requestHeaders"] == {"webhook-id": "x"}


def test_what_failed_is_sent_again(customer: Client) -> None:
    id_ = failed_delivery(made(customer)["endpointId"])

    answer = send(customer, "POST", f"/webhooks/deliveries/{id_}/send-again")

    assert answer.status_code == 202
    assert answer.json()["state"] == "pending"


def test_a_disabled_endpoint_gets_nothing_until_it_is_enabled(customer: Client) -> None:
    endpoint_id = made(customer)["endpointId"]
    id_ = failed_delivery(endpoint_id)
    disable(endpoint_id, "Nothing but failures for 5 days.", datetime.now(UTC))

    since = {"since": "2026-01-31T12:00:00Z"}
    for path, body in (
        (f"{ENDPOINTS}/{endpoint_id}/test", None),
        (f"{ENDPOINTS}/{endpoint_id}/send-again", since),
        (f"/webhooks/deliveries/{id_}/send-again", None),
    ):
        answer = send(customer, "POST", path, body)
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/endpoint-disabled")
    enabled = send(customer, "POST", f"{ENDPOINTS}/{endpoint_id}/enable").json()
    assert (enabled["state"], enabled["reason"]) == ("enabled", "")
    test = send(customer, "POST", f"{ENDPOINTS}/{endpoint_id}/test")
    assert (test.status_code, test.json()["type"]) == (202, "webhook.test")


def test_a_rotation_shows_the_new_secret_alone(customer: Client) -> None:
    first = made(customer)

    answer = send(customer, "POST", f"{ENDPOINTS}/{first['endpointId']}/rotate-secret")

    shown = answer.json()
    assert shown["secret"] != first["secret"]
    assert first["secret"] not in answer.content.decode()
    assert shown["secrets"] == 2
    assert answer["Cache-Control"] == "no-store"


def test_it_is_changed_and_deleted(customer: Client) -> None:
    path = f"{ENDPOINTS}/{made(customer)['endpointId']}"

    changed = send(customer, "PATCH", path, {"types": ["billing.invoiced"], "url": f"{URL}/2"})

    assert (changed.json()["types"], changed.json()["url"]) == (["billing.invoiced"], f"{URL}/2")
    assert send(customer, "PATCH", path, {"url": "https://10.0.0.1/"}).status_code == 400
    assert send(customer, "PATCH", path, {"userId": 202}).status_code == 400
    assert send(customer, "DELETE", path).status_code == 200
    assert customer.get(path).status_code == 404


def test_pages_follow_one_another(customer: Client) -> None:
    ids = [made(customer, url=f"{URL}/{number}")["endpointId"] for number in range(5)]

    seen, path = [], f"{ENDPOINTS}?limit=2"
    while path:
        page = customer.get(path).json()
        seen += [each["endpointId"] for each in page["endpoints"]]
        path = page["next"]

    assert sorted(seen) == sorted(ids)
    assert len(seen) == 5


def test_the_same_key_makes_the_same_endpoint(customer: Client, other: Client) -> None:
    first = send(customer, "POST", ENDPOINTS, NEW, idempotency_key="one")

    again = send(customer, "POST", ENDPOINTS, NEW, idempotency_key='"one"')
    changed = send(customer, "POST", ENDPOINTS, {**NEW, "url": f"{URL}/2"}, idempotency_key="one")
    others = send(other, "POST", ENDPOINTS, NEW, idempotency_key="one")

    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert changed.status_code == 422
    assert others.json()["endpointId"] != first.json()["endpointId"]
    assert endpoints().count_documents({}) == 2


def test_a_repeat_shows_the_secret_for_some_minutes_alone(customer: Client) -> None:
    first = send(customer, "POST", ENDPOINTS, NEW, idempotency_key="one").json()
    ago = datetime.now(UTC) - timedelta(minutes=11)
    since = {"created_at": ago, "secrets.0.created_at": ago}
    endpoints().update_one({"_id": first["endpointId"]}, {"$set": since})

    again = send(customer, "POST", ENDPOINTS, NEW, idempotency_key="one")

    assert again.status_code == 201
    assert again.json() == {
        **{name: value for name, value in first.items() if name != "secret"},
        "createdAt": again.json()["createdAt"],
    }


def test_a_repeat_shows_no_secret_that_a_rotation_made(customer: Client) -> None:
    first = send(customer, "POST", ENDPOINTS, NEW, idempotency_key="one").json()
    rotated = send(
        customer, "POST", f"{ENDPOINTS}/{first['endpointId']}/rotate-secret", {"overlapHours": 0}
    )
    assert rotated.json()["secret"] != first["secret"]

    again = send(customer, "POST", ENDPOINTS, NEW, idempotency_key="one")

    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert "secret" not in again.json()


def test_a_customer_has_so_many_and_no_more(customer: Client, shop: Client) -> None:
    for number in range(MOST_OF_A_CUSTOMER):
        made(customer, url=f"{URL}/{number}")

    answer = send(customer, "POST", ENDPOINTS, NEW)

    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/too-many-endpoints")
    made(shop)


def test_what_was_made_since_they_were_counted_counts(
    customer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MOST_OF_A_CUSTOMER):
        made(customer, url=f"{URL}/{number}")
    monkeypatch.setattr(managing, "has_all", lambda user_id: False)

    answer = send(customer, "POST", ENDPOINTS, NEW)

    assert answer.status_code == 409
    assert endpoints().count_documents({}) == MOST_OF_A_CUSTOMER


def test_where_webhooks_are_off_nobody_waits_for_any(customer: Client, settings: Any) -> None:
    path = f"{ENDPOINTS}/{made(customer)['endpointId']}"
    settings.WEBHOOKS = False

    for answer in (
        send(customer, "POST", ENDPOINTS, NEW),
        send(customer, "POST", f"{path}/enable"),
        send(customer, "POST", f"{path}/test"),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/webhooks-off")
    assert customer.get(path).status_code == 200
    assert send(customer, "DELETE", path).status_code == 200


def test_each_route_needs_its_scope(with_key: WithKey) -> None:  # noqa: F811
    reader = with_key("webhooks:read", user_id=101)

    assert reader.get(ENDPOINTS).status_code == 200
    assert send(reader, "POST", ENDPOINTS, NEW).status_code == 403
    assert with_key("orders:read").get(ENDPOINTS).status_code == 403
