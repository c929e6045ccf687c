"""The reader of the previous release notices what would break it, and only that."""

from __future__ import annotations

import json
from typing import Any

import amqp
import pytest

from drills.traffic.previous_release import FORMATS, unreadable
from localservices.pipeline import ROOT

BODY: dict[str, Any] = {
    "orderId": "0123456789abcdef01234567",
    "userId": 7,
    "items": [{"sku": "book", "quantity": 2}],
}
PROPERTIES: dict[str, Any] = {
    "type": "inventory.reserved",
    "content_type": "application/json",
    "message_id": "inventory.reserved:0123456789abcdef01234567",
    "correlation_id": "0123456789abcdef01234567",
    "application_headers": {"schema-version": 1},
}


def problems(body: dict[str, Any], **properties: Any) -> list[str]:
    return [*unreadable(amqp.Message(json.dumps(body), **{**PROPERTIES, **properties}))]


def test_a_new_optional_field_is_read_over() -> None:
    assert problems({**BODY, "warehouse": "north"}) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({**BODY, "userId": "7"}, "inventory.reserved.userId is '7'"),
        ({**BODY, "userId": True}, "inventory.reserved.userId is True"),
        ({"orderId": "x", "user": 7, "items": []}, "inventory.reserved lacks userId"),
        ({**BODY, "items": [{"sku": "book"}]}, "inventory.reserved.items[] lacks quantity"),
        ({**BODY, "items": None}, "inventory.reserved.items is None"),
    ],
)
def test_another_name_or_type_is_noticed(body: dict[str, Any], problem: str) -> None:
    assert problems(body) == [problem]


def test_other_metadata_are_noticed() -> None:
    newer = {"application_headers": {"schema-version": 2}}
    assert problems(BODY, **newer) == ["inventory.reserved has the schema-version 2"]
    assert problems(BODY, type="inventory.counted") == ["it knows no inventory.counted"]
    assert problems(BODY, message_id="") == ["inventory.reserved has no message_id"]


def test_no_event_of_the_previous_release_has_gone() -> None:
    published = {file.name.partition(".v")[0] for file in (ROOT / "docs/schemas").iterdir()}
    assert {*FORMATS} <= published
