"""What cannot be asked of webhooks is refused, with the field and the fix."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.security.conftest import closed_api, known  # noqa: F401
from webhooks.bodies import known_types

ENDPOINTS = "/webhooks/endpoints"
URL = "https://shop.example.com/webhooks"
NEW = {"url": URL, "types": ["order.placed", "order.confirmed"]}
SCOPES = ("webhooks:read", "webhooks:manage")


pytestmark = pytest.mark.usefixtures("closed_api")


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False


def test_the_types_are_all_that_the_pipeline_publishes() -> None:
    assert {"order.placed", "order.confirmed", "billing.invoiced", "inventory.shipped"} <= {
        *known_types()
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**NEW, "url": "http://shop.example.com/"}, "url"),
        ({**NEW, "url": "https://127.0.0.1/"}, "url"),
        ({**NEW, "url": "https://169.254.169.254/"}, "url"),
        ({**NEW, "url": 7}, "url"),
        ({"types": ["order.placed"]}, "url"),
        ({**NEW, "types": []}, "types"),
        ({**NEW, "types": ["order.placed", "order.lost"]}, "types[1]"),
        ({**NEW, "types": ["webhooks.noted"]}, "types[0]"),
        ({**NEW, "types": "order.placed"}, "types"),
        ({**NEW, "description": "a\nb"}, "description"),
        ({**NEW, "secret": "whsec_mine"}, "secret"),
        ({**NEW, "userId": 0}, "userId"),
    ],
)
def test_what_is_wrong_is_named_with_its_fix(body: dict[str, Any], field: str) -> None:
    client = known(*SCOPES, user_id=101)

    answer = client.post(ENDPOINTS, json.dumps(body), content_type="application/json")

    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [each["field"] for each in errors] == [field]
    assert errors[0]["fix"]


def test_all_that_is_wrong_is_named_at_once() -> None:
    body = {"url": "http://shop.example.com/", "types": ["order.lost"], "secret": "whsec_mine"}

    for method, path in (("POST", ENDPOINTS), ("PATCH", f"{ENDPOINTS}/{'0' * 16}")):
        answer = known(*SCOPES).generic(method, path, json.dumps(body), "application/json")

        told = [each["pointer"] for each in answer.json()["errors"]]
        assert told == ["#/secret", "#/url", "#/types/0"]


def test_a_value_is_told_beside_one_of_a_wrong_type_in_its_list() -> None:
    body = json.dumps({"url": URL, "types": ["order.lost", 5, "order.placed", {}]})

    answer = known(*SCOPES, user_id=101).post(ENDPOINTS, body, "application/json")

    told = [each["pointer"] for each in answer.json()["errors"]]
    assert told == ["#/types/1", "#/types/3", "#/types/0"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "state=odd", "cursor=x", "cursor=LTEgYQ==", "a=b", "userId=x"]
)
def test_a_wrong_filter_is_named(query: str) -> None:
    answer = known(*SCOPES).get(f"{ENDPOINTS}?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("id_", ["", "$ne", "a" * 500, "%00", "%ff", "ä", "../x"])
def test_an_id_that_cannot_be_is_not_found(id_: str) -> None:
    for path in (f"{ENDPOINTS}/{id_}", f"/webhooks/deliveries/{id_}"):
        assert known(*SCOPES).get(path).status_code in (400, 404)
