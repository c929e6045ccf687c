"""What a second click, or a click too late, is told; and which orders have moved on. In memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from failed_messages.acting.job_runner import allowance
from failed_messages.reading.act_result import why_not
from failed_messages.reading.staleness import why_stale

AT = datetime(2026, 11, 28, 19, 0, 12, tzinfo=UTC)
RECORD = {
    "status": "failed",
    "body_cut": False,
    "replay": {"at": AT},
    "resolved_by": "billing",
    "resolved_at": AT,
    "discarded_by": "anna",
    "discarded_at": AT,
    "discard_reason": "a test order",
    "history": [],
}


@pytest.mark.parametrize(
    ("record", "verb", "told"),
    [
        (None, "replay", "no such failed message"),
        ({"status": "replaying"}, "replay", "replaying since 2026-11-28 19:00:12 UTC"),
        ({"status": "resolved"}, "discard", "resolved already, by billing at 2026-11-28 19:00:12"),
        ({"status": "resolved", "resolved_at": None}, "replay", "resolved already, by billing"),
        ({"status": "discarded"}, "discard", "discarded already, by anna at 2026-11-28 19:00:12"),
        ({"status": "discarded"}, "replay", "restore it first"),
        ({"status": "discarded"}, "edit", "(a test order)"),
        ({"body_cut": True}, "replay", "ask its publisher to send it again"),
        ({"body_cut": True}, "restore", "it is failed, so there is nothing to restore"),
        (
            {"history": [{"act": "restore", "by": "anna", "at": AT}]},
            "restore",
            "it is failed already: restore by anna at 2026-11-28 19:00:12 UTC",
        ),
        ({"history": [{"act": "replay"}]}, "restore", "there is nothing to restore"),
    ],
)
def test_who_comes_too_late_is_told_who_was_first(
    record: dict[str, Any] | None, verb: str, told: str
) -> None:
    assert told in why_not(None if record is None else RECORD | record, verb)


@pytest.mark.parametrize(
    ("type_", "headers", "status", "version", "why"),
    [
        ("order.placed", {"order-version": 1}, "placed", 1, ""),
        ("order.placed", {"order-version": 1}, "cancelled", 2, "is cancelled since"),
        ("order.placed", {}, "confirmed", 3, "is confirmed since"),
        ("order.placed", {"order-version": 1}, "placed", 3, "is at version 3"),
        # A message without a type is the order's first event.
        ("", {}, "rejected", 2, "is rejected since"),
        ("order.cancelled", {}, "cancelled", 9, ""),
        # A publisher that names no version, or none that is a number, tells of the order's status.
        ("order.placed", {}, "placed", 9, ""),
        ("order.placed", {"order-version": True}, "placed", 9, ""),
        ("order.placed", {"order-version": "1"}, "placed", 9, ""),
        # A service's answer is never stale: the ledger takes answers in any order.
        ("inventory.reserved", {"order-version": 1}, "cancelled", 9, ""),
    ],
)
def test_an_order_that_has_moved_on_since(
    type_: str, headers: dict[str, Any], status: str, version: int, why: str
) -> None:
    record = {"type": type_, "headers": json.dumps(headers), "order_id": "6743f0"}

    told = why_stale(record, SimpleNamespace(status=status, version=version))

    assert bool(told) is bool(why)
    assert why in told


def test_a_job_never_has_more_unanswered_than_it_has_canaries() -> None:
    """One, five, fifty: only when all of these are answered, the others go."""
    for answered in range(56):
        most = next(limit for limit in (1, 6, 56) if answered < limit)
        for sent in range(most - answered + 1):
            assert allowance(answered, sent) == most - answered - sent
