"""Each attempt is on the order's timeline as it happens, and once; in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.timeline_step import Step
from ordersite.pipeline import timeline_attempts

FIRST = "2026-11-28T03:00:00.120000+00:00"
DUE = datetime(2026, 11, 28, 3, 0, 30, tzinfo=UTC)


def note(**changes: Any) -> dict[str, Any]:
    attempt = {"number": 1, "at": FIRST, "message": "card service timed out"}
    about = {"_id": "o1 billing order.placed:o1", "order_id": "o1", "service": "billing"}
    return {**about, "attempts": [attempt], **changes}


def told(changes: dict[str, Any], *by_the_desk: Step) -> list[tuple[str, str, int | None]]:
    steps = timeline_attempts.steps_of(note(**changes), by_the_desk)
    return [(step.kind, step.outcome, step.attempt) for step in steps]


def test_a_failed_attempt_and_when_the_next_is_due() -> None:
    failed, waits = timeline_attempts.steps_of(note(due_at=DUE), [])

    assert (failed.kind, failed.detail) == ("failed", "card service timed out")
    assert failed.at == datetime.fromisoformat(FIRST)
    assert (waits.outcome, waits.attempt, waits.due_at) == ("to be tried again", 2, DUE)
    assert waits.retry_id == timeline_attempts.retry_notes.id_of(note())
    assert failed.retry_id is None


def test_attempts_of_a_message_that_succeeded_since_stay() -> None:
    assert told({}) == [("failed", "failed", 1)]


def test_what_the_desk_tells_is_told_once() -> None:
    same = Step(
        service="billing",
        kind="failed",
        outcome="failed",
        at=datetime.fromisoformat(FIRST),
        attempt=1,
    )

    assert told({"gave_up": True}, same) == []


def test_what_was_given_up_and_not_archived_yet_is_not_hidden() -> None:
    assert told({"gave_up": True}) == [
        ("failed", "failed", 1),
        ("failed", "gave up, to be archived", None),
    ]


def test_what_was_stopped_says_so_until_the_desk_has_it() -> None:
    stopped = {"stop": {"by": "anna", "reason": "card blocked"}}

    assert told(stopped)[-1] == ("failed", "stopped", None)
    assert told({**stopped, "gave_up": True})[-1][1] == "gave up, to be archived"
    assert told(stopped, Step(service="billing", kind="failed", outcome="gave up"))[-1][2] == 1


def test_a_note_that_cannot_be_read_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        timeline_attempts.retry_notes, "of_order", lambda _: [{"service": "x"}, note()]
    )

    assert [step.outcome for step in timeline_attempts.steps("o1", [])] == ["failed"]
