"""What an operator does with a message that waits for its next attempt; in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from failed_messages.acting import waiting_retries
from failed_messages.acting.waiting_retries import retry_now, stop_retrying
from failed_messages.archiving.fingerprint import cause_of
from failed_messages.cli import retries as cli
from failed_messages.cli.terminal import Refusal
from failed_messages.reading.act_result import ReasonMissing
from messaging.certificate import Certificate
from messaging.handling import retry_notes
from messaging.handling.early_handover import NotWaiting, TooFarBack
from tests.waiting_retry import note_of

ORDER = "6743" + "0" * 20
QUEUE = "billing.retry.2m"
MESSAGE_ID = f"order.placed:{ORDER}"


class Desk:
    """The notes of one order, what was stored, and what RabbitMQ was asked to move."""

    def __init__(self) -> None:
        self.notes = [note_of(ORDER, MESSAGE_ID, QUEUE)]
        self.stored: list[tuple[Any, ...]] = []
        self.moved: list[tuple[str, str]] = []
        self.raises: Exception | None = None

    @property
    def id(self) -> str:
        return retry_notes.id_of(self.notes[0])

    def hand_over(self, queue: str, message_id: str, first: Callable[[], object]) -> None:
        if self.raises:
            raise self.raises
        first()
        self.moved.append((queue, message_id))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    known = Desk()
    for name in ("of_order", "all_of"):
        of = lambda order_id: known.notes if order_id == ORDER else []  # noqa: E731
        monkeypatch.setattr(retry_notes, name, of)
    monkeypatch.setattr(waiting_retries, "hand_over", known.hand_over)
    monkeypatch.setattr(waiting_retries, "in_transaction", lambda callback: callback(None))
    due_now, stop = (lambda *said: known.stored.append(said[1:-1]) for _ in "12")
    monkeypatch.setattr(retry_notes, "due_now", due_now)
    monkeypatch.setattr(retry_notes, "stop", stop)

    def note(_: Any, act: str, subject: str, id_: str, **about: Any) -> None:
        known.stored.append((act, subject, id_, about["by"], about["reason"]))

    monkeypatch.setattr(waiting_retries.audit, "note", note)
    return known


def test_retry_now_is_in_the_audit_log_and_moves_the_message(desk: Desk) -> None:
    verdict = retry_now(desk.id, "anna", "the card service is back")

    assert (verdict.done, verdict.detail) == (True, "sent to billing")
    audited = ("retry now", "retry", desk.id, "anna", "the card service is back")
    assert desk.stored == [(), audited]
    assert desk.moved == [(QUEUE, MESSAGE_ID)]


def test_a_retry_is_found_in_capitals(desk: Desk) -> None:
    assert retry_now(desk.id.upper(), "anna", "").done
    [_, audited] = desk.stored
    assert audited[2] == desk.id


def test_stop_retrying_is_stored_with_who_and_why_before_the_message_moves(desk: Desk) -> None:
    verdict = stop_retrying(desk.id, "anna", " card blocked ")

    assert verdict.done
    assert "makes it a failed message" in verdict.detail
    stopped, audited = desk.stored
    assert stopped == ("anna", "card blocked")
    assert audited == ("stop retrying", "retry", desk.id, "anna", "card blocked")
    assert desk.moved == [(QUEUE, MESSAGE_ID)]


def test_stopping_needs_a_reason(desk: Desk) -> None:
    with pytest.raises(ReasonMissing, match="must be given to stop retrying"):
        stop_retrying(desk.id, "anna", "  ")

    assert (desk.stored, desk.moved) == ([], [])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotWaiting(), "it came too late: attempt 2 of order.placed by billing no longer waits"),
        (TooFarBack(), "more than 1,000 messages may be before it in billing.retry.2m"),
        (ConnectionResetError("gone"), "RabbitMQ did not answer"),
    ],
)
def test_what_cannot_be_done_says_why(desk: Desk, error: Exception, said: str) -> None:
    desk.raises = error

    verdict = retry_now(desk.id, "anna")

    assert not verdict.done
    assert said in verdict.detail
    assert desk.stored == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"due_at": None}, "it came too late: billing has handled it since"),
        ({"due_at": None, "gave_up": True}, "it came too late: billing gave it up"),
        ({"stop": {"by": "bob", "reason": "blocked"}}, "bob has stopped it already (blocked)"),
    ],
)
def test_what_is_settled_is_told_without_asking_rabbitmq(
    desk: Desk, changes: dict[str, Any], said: str
) -> None:
    desk.notes[0] |= changes

    for verdict in (retry_now(desk.id, "anna"), stop_retrying(desk.id, "anna", "why")):
        assert not verdict.done
        assert said in verdict.detail
    assert desk.moved == []


@pytest.mark.parametrize("unknown", ["", "x", f"{ORDER}-000000000000", "-", "a/b-c"])
def test_an_id_of_no_retry(desk: Desk, unknown: str) -> None:
    assert "no such retry" in retry_now(unknown, "anna").detail


def test_on_a_terminal_an_orders_only_retry_goes_by_the_orders_id(desk: Desk) -> None:
    assert cli._retry_id(ORDER) == desk.id
    assert cli._retry_id(desk.id) == desk.id

    desk.notes.append(note_of(ORDER, f"order.cancelled:{ORDER}", QUEUE))
    with pytest.raises(Refusal, match=r"several messages of .* wait; name one of"):
        cli._retry_id(ORDER)


def test_stopped_messages_are_one_group_whoever_stopped_them() -> None:
    def cause(message: str) -> str:
        return cause_of(
            Certificate(
                id="c",
                service="billing",
                reason="stopped",
                at="2026-11-28T12:00:00+00:00",
                release="1",
                worker="billing@here",
                message=message,
            )
        ).fingerprint

    assert cause("stopped by anna: the card was blocked") == cause("stopped by bob: a test")
