"""The attempts of a message: how many there were, and each one's record."""

from __future__ import annotations

import time
from contextvars import ContextVar

from msgspec.structs import replace

from messaging.certificate import Attempt, class_name, text_of, traceback_of
from messaging.errors import Stopped, WorkerKilled
from messaging.handling import retry_notes
from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.handling.dead_letters import worker_name
from messaging.incoming import ATTEMPT_HEADER, Delivery
from messaging.message import Message

#: No publisher of ours sends a number beyond it.
HIGHEST_NUMBER = 1_000

#: What is being handled, where it is not a batch.
_handled: ContextVar[Delivery | None] = ContextVar("handled", default=None)


def count_attempts(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: the events of a handler that needed several attempts say how many."""
    token = _handled.set(call.delivery)
    try:
        answers = go_on()
    finally:
        _handled.reset(token)
    failed = len(call.delivery.attempts)
    if not failed:
        return answers
    retry_notes.handled(call)
    return [[_numbered(each, failed + 1) for each in events or []] for events in answers]


def senders_attempt() -> int:
    """How many attempts the sender of the event that is being handled needed for it."""
    delivery = _handled.get()
    number = delivery.headers.get(ATTEMPT_HEADER) if delivery else None
    return number if isinstance(number, int) and 1 <= number <= HIGHEST_NUMBER else 1


def attempts_with(call: MessageCall, error: BaseException) -> tuple[Attempt, ...]:
    """Every failed attempt of the message, this one included, where it was one."""
    earlier = call.delivery.attempts
    if isinstance(error, WorkerKilled | Stopped):
        return earlier
    this = Attempt(
        number=len(earlier) + 1,
        at=call.started_at.isoformat(),
        seconds=round(time.monotonic() - call.started_on_clock, 3),
        worker=worker_name(call.service),
        exception=class_name(error),
        message=text_of(error),
        traceback=traceback_of(error),
    )
    return (*earlier, this)


def _numbered(event: Message, attempt: int) -> Message:
    return replace(event, headers={**event.headers, ATTEMPT_HEADER: attempt})
