"""The notes of retries, in MongoDB: what waits until when, and about which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from messaging.certificate import Attempt
from messaging.handling import retry_notes
from messaging.handling.retry_notes import Due
from messaging.service import services

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime.now(UTC)
FIRST, SECOND = "a" * 24, "b" * 24


def note(of: str, by: str = "billing", **changes: Any) -> None:
    key = f"{of} {by} order.placed:{of}"
    about = {"_id": key, "service": by, "order_id": of, "attempts": [], "at": NOW}
    retry_notes.notes().insert_one({**about, **changes})


def test_who_waits_for_which_service_until_when() -> None:
    note(FIRST, due_at=NOW + timedelta(hours=2))
    note(SECOND, due_at=NOW + timedelta(hours=1))
    note(SECOND, "inventory")

    assert retry_notes.waiting()["billing"] == {FIRST, SECOND}
    assert retry_notes.waiting()["inventory"] == set()
    assert retry_notes.among([FIRST, SECOND, "c" * 24]) == {FIRST, SECOND}
    assert retry_notes.among([]) == set()
    due = retry_notes.by_service()
    assert due.keys() == {"billing"}
    count, next_at = due["billing"].messages, due["billing"].next_at
    assert count == 2
    assert next_at
    assert abs(next_at - NOW - timedelta(hours=1)) < timedelta(milliseconds=2)


def test_what_is_due_already_is_counted_and_is_not_what_comes_next() -> None:
    note(FIRST, due_at=NOW - timedelta(hours=1))

    assert retry_notes.by_service() == {"billing": Due(1)}

    note(SECOND, due_at=NOW + timedelta(hours=1))

    due = retry_notes.by_service()["billing"]
    assert due.messages == 2
    assert due.next_at
    assert due.next_at > NOW


def test_why_one_of_them_failed_is_known() -> None:
    attempts = [{"exception": "ValueError", "message": "first"}, {"exception": "TimeoutError"}]
    note(FIRST, due_at=NOW + timedelta(hours=1), attempts=attempts)
    assert retry_notes.by_service()["billing"].error == "TimeoutError"

    attempts[-1]["message"] = "card service timed out"
    note(SECOND, due_at=NOW + timedelta(hours=2), attempts=attempts)
    assert retry_notes.by_service()["billing"].error == "TimeoutError: card service timed out"


@pytest.mark.parametrize("strange", [None, "timed out", [], ["timed out"], [{"message": None}]])
def test_an_error_that_another_program_wrote_hides_no_retry(strange: Any) -> None:
    note(FIRST, due_at=NOW + timedelta(hours=1), attempts=strange)

    assert retry_notes.by_service()["billing"].messages == 1
    assert retry_notes.by_service()["billing"].error == ""


@pytest.mark.parametrize(
    "strange", [{"service": None}, {"service": ["billing"]}, {"order_id": None}, {"order_id": [1]}]
)
def test_a_note_of_another_program_hides_no_retry(strange: dict[str, Any]) -> None:
    note(FIRST, due_at=NOW + timedelta(hours=1))
    note(SECOND, **{"due_at": NOW + timedelta(hours=1), **strange})
    for name in strange:
        key = f"{SECOND} incomplete {name}"
        retry_notes.notes().insert_one({"_id": key, "due_at": NOW + timedelta(hours=1)})

    assert FIRST in retry_notes.waiting()["billing"]
    assert retry_notes.waiting().keys() == services().keys()
    assert retry_notes.by_service().keys() == {"billing"}


def test_the_notes_of_an_order_are_its_own() -> None:
    note(FIRST)
    note(FIRST, "inventory")
    note(f"{FIRST}0")

    assert [each["service"] for each in retry_notes.of_order(FIRST)] == ["billing", "inventory"]

    retry_notes.forget(FIRST)

    assert [each["order_id"] for each in retry_notes.notes().find()] == [f"{FIRST}0"]


def test_what_is_given_up_is_noted_also_where_it_was_never_retried() -> None:
    delivery = SimpleNamespace(
        service="billing",
        type="order.placed",
        message_id=f"order.placed:{FIRST}",
        correlation_id=FIRST,
    )
    call: Any = SimpleNamespace(delivery=delivery, body=b"{}")
    failed = Attempt(1, NOW.isoformat(), 0.1, "billing@here", "ValueError", "no such card $x")

    retry_notes.gave_up(call, (failed,))
    declined = Attempt(2, NOW.isoformat(), 0.1, "billing@here", "ValueError", "declined")
    retry_notes.gave_up(call, (failed, declined))

    [noted] = retry_notes.of_order(FIRST)
    assert (noted["service"], noted["gave_up"]) == ("billing", True)
    assert [each["message"] for each in noted["attempts"]] == ["no such card $x", "declined"]
    assert retry_notes.waiting()["billing"] == set()
    retry_notes.notes().update_one({}, {"$set": {"at": NOW - timedelta(days=8)}})
    assert retry_notes.forget_old() == 1


def test_old_notes_are_deleted() -> None:
    note(FIRST, at=NOW - timedelta(days=8))
    note(SECOND)

    assert retry_notes.forget_old() == 1


def test_who_waits_is_read_from_an_index_that_holds_no_other() -> None:
    plan = retry_notes.notes().find({**retry_notes.IS_DUE, "service": "billing"}).explain()

    assert retry_notes.INDEX in str(plan["queryPlanner"]["winningPlan"])
