"""The previous release is checked out, and its schemas notice what would break its consumers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import amqp
import pytest

from drills.cluster import previous_release
from drills.traffic.previous_release import Reader
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
READER = Reader(ROOT / "docs/schemas")


def problems(body: dict[str, Any], **properties: Any) -> list[str]:
    return [*READER.unreadable(amqp.Message(json.dumps(body), **{**PROPERTIES, **properties}))]


def test_a_new_optional_field_is_read_over() -> None:
    assert problems({**BODY, "warehouse": "north"}) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({**BODY, "userId": "7"}, "$.userId '7' is not of type 'integer'"),
        ({**BODY, "userId": True}, "$.userId True is not of type 'integer'"),
        ({"orderId": "x", "user": 7, "items": []}, "$ 'userId' is a required property"),
        ({**BODY, "items": [{"sku": "book"}]}, "$.items[0] 'quantity' is a required property"),
        ({**BODY, "items": None}, "$.items None is not of type 'array'"),
    ],
)
def test_another_name_or_type_is_noticed(body: dict[str, Any], problem: str) -> None:
    assert problems(body) == [f"inventory.reserved: {problem}"]


def test_other_metadata_are_noticed() -> None:
    newer = {"application_headers": {"schema-version": 2}}
    unknown = "it knows no inventory.{} with the schema-version {}"
    assert problems(BODY, **newer) == [unknown.format("reserved", 2)]
    assert problems(BODY, type="inventory.counted") == [unknown.format("counted", 1)]
    assert problems(BODY, message_id="") == ["inventory.reserved has no message_id"]


def test_another_set_of_packages_needs_programs_of_its_own() -> None:
    pinned = dict(previous_release.PIN.findall("amqp==5.4.2 \\\n    --hash=x\nkombu==5.7.0\n"))

    assert pinned == {"amqp": "5.4.2", "kombu": "5.7.0"}
    assert not previous_release.are_installed({"pytest": "0.1"})
    assert not previous_release.are_installed({"no-such-package": "1"})
    assert previous_release.are_installed({})


def test_a_clone_without_the_revision_says_how_to_get_it(
    programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previous_release, "REVISION", "0" * 40)

    with pytest.raises(previous_release.NotInHistory, match="git fetch --unshallow"):
        previous_release.check_out(tmp_path / "previous")
    assert not (tmp_path / "previous").exists()


def test_it_is_the_release_before_this_one() -> None:
    """The changelog says which, and has the same revision."""
    headings = [
        line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")
    ]

    assert previous_release.VERSION in headings[1]
    assert previous_release.REVISION[:12] in (ROOT / "CHANGELOG.md").read_text()
