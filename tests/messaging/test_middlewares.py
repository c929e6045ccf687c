"""What runs around a handler, in its sequence, for a message alone and for a batch. In memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from celery.exceptions import Ignore, Reject, Retry
from django.conf import settings
from msgspec import structs
from pymongo.errors import AutoReconnect

from celery_app import app
from messaging import outages
from messaging.certificate import Attempt, decode_attempts, decode_certificate, encode_attempts
from messaging.errors import PermanentError, PublishError
from messaging.handling import dead_letters, execution, retry_notes, retrying
from messaging.handling.attempts import senders_attempt
from messaging.handling.call import Answers, BatchCall, Call, GoOn
from messaging.handling.handler import Handle, HandleBatch
from messaging.handling.handlers import HANDLERS
from messaging.handling.middlewares import around_a_batch, around_a_message, of_the_site, run
from messaging.incoming import Delivery
from messaging.message import Message
from messaging.publishing.publisher import Outgoing
from messaging.trust.users import user_of
from runtime import log_context

BODY = b'{"orderId": "6743f0", "userId": 101}'
FAILED_BEFORE = Attempt(1, "2026-11-28T00:00:00+00:00", 0.1, "billing@here", "ValueError", "so")


class FakePublisher:
    """Keeps what is published, one list a round; or refuses all of it."""

    def __init__(self) -> None:
        self.rounds: list[list[Outgoing]] = []
        self.is_down = False

    def publish(self, outgoing: list[Outgoing]) -> None:
        if self.is_down:
            raise PublishError("RabbitMQ is down")
        self.rounds.append(outgoing)

    def only(self) -> Outgoing:
        [[outgoing]] = self.rounds
        return outgoing


@pytest.fixture(autouse=True)
def publisher(monkeypatch: pytest.MonkeyPatch) -> FakePublisher:
    fake = FakePublisher()
    for module in (execution, retrying, dead_letters):
        monkeypatch.setattr(module, "process_publisher", lambda: fake)
    monkeypatch.setattr(outages, "PATIENCE_SECONDS", 0)
    return fake


class FakeNotes:
    """Keeps the changes of the notes of retries."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        #: Who has stopped the retries of the message.
        self.stop: dict[str, Any] | None = None
        self.is_down = False

    def find_one(self, wanted: dict[str, Any], fields: dict[str, bool]) -> Any:
        if self.is_down:
            raise AutoReconnect("MongoDB is down")
        return {"stop": self.stop} if self.stop else None

    def update_one(self, note: dict[str, Any], change: Any, upsert: bool) -> None:
        steps = change if isinstance(change, list) else [change]
        self.changes.append({name: each for step in [note, *steps] for name, each in step.items()})


@pytest.fixture(autouse=True)
def notes(monkeypatch: pytest.MonkeyPatch) -> FakeNotes:
    fake = FakeNotes()
    monkeypatch.setattr(retry_notes, "notes", lambda: fake)
    return fake


@pytest.fixture(autouse=True)
def no_middleware_of_the_site(settings_of_the_site: Any) -> None:
    settings_of_the_site([])


@pytest.fixture
def settings_of_the_site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def forget() -> None:
        around_a_message.cache_clear()
        around_a_batch.cache_clear()

    def add(paths: list[str]) -> None:
        monkeypatch.setattr(settings, "HANDLER_MIDDLEWARE", paths)
        forget()

    yield add
    monkeypatch.undo()
    forget()


def delivery(*attempts: Attempt, **headers: Any) -> Delivery:
    return Delivery(
        service="billing",
        type="order.placed",
        message_id="order.placed:6743f0",
        correlation_id="6743f0",
        content_type="application/json",
        timestamp_seconds=1_795_900_000,
        headers=headers,
        publisher=user_of("relay"),
        attempts_json=encode_attempts(attempts),
        original_json="{}",
    )


def invoiced() -> Message:
    return Message(b"{}", type="billing.invoiced", message_id="billing.invoiced:6743f0")


def handle_alone(monkeypatch: pytest.MonkeyPatch, handle: Handle, delivered: Delivery) -> None:
    """Run billing's Celery task with another handler."""
    task = app.tasks["billing.order.placed"]
    monkeypatch.setattr(task, "handler", replace(task.handler, handle=handle), raising=False)
    task.push_request(delivery=delivered, args=(BODY,))
    try:
        task(BODY)
    finally:
        task.pop_request()


def handle_several(handle_batch: HandleBatch, count: int) -> Answers:
    handler = replace(HANDLERS["billing", "order.placed"], handle_batch=handle_batch)
    call = BatchCall(
        service="billing",
        type="order.placed",
        handler=handler,
        raw=[BODY] * count,
        publishers=[user_of("relay")] * count,
    )
    return run(call, around_a_batch())


def failing(error: Exception) -> Handle:
    def handle(body: dict[str, Any]) -> list[Message]:
        raise error

    return handle


def test_a_batch_meets_the_same_in_the_same_sequence() -> None:
    alone = around_a_message()
    assert [each for each in alone if each in around_a_batch()] == list(around_a_batch())


def test_events_are_published_in_one_round(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    handle_alone(monkeypatch, lambda body: [invoiced(), invoiced()], delivery())

    [[first, second]] = publisher.rounds
    assert (first.exchange, first.routing_key) == ("billing_events", "billing.invoiced")
    assert "attempt" not in first.message.headers
    assert second.exchange == "billing_events"


def test_a_failure_is_a_retry_with_its_attempt(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    with pytest.raises(Retry):
        handle_alone(monkeypatch, failing(ValueError("no")), delivery())

    retry = publisher.only()
    assert retry.routing_key == "billing.retry.200ms"
    assert retry.message.body == BODY
    [attempt] = decode_attempts(retry.message.headers["attempts"])
    assert (attempt.number, attempt.exception, attempt.message) == (1, "ValueError", "no")


def test_the_last_attempt_is_a_death_with_all_of_them(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    with pytest.raises(Ignore):
        handle_alone(monkeypatch, failing(ValueError("no")), delivery(FAILED_BEFORE, FAILED_BEFORE))

    dead = publisher.only()
    assert (dead.exchange, dead.routing_key) == ("dead_letters", "billing")
    certificate = decode_certificate(dead.message.headers["certificate"])
    assert certificate.reason == "attempts_used_up"
    assert certificate.handler == "billing.tasks.issue_invoice"
    assert [attempt.number for attempt in certificate.attempts] == [1, 1, 3]


def test_a_permanent_error_is_a_death_at_once(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    with pytest.raises(Ignore):
        handle_alone(monkeypatch, failing(PermanentError("never")), delivery())

    certificate = decode_certificate(publisher.only().message.headers["certificate"])
    assert certificate.reason == "permanent_error"


def test_an_outage_uses_up_no_attempt(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    with pytest.raises(Ignore):
        handle_alone(monkeypatch, failing(AutoReconnect("down")), delivery(FAILED_BEFORE))

    again = publisher.only()
    assert again.routing_key == "billing.retry.200ms"
    assert decode_attempts(again.message.headers["attempts"]) == (FAILED_BEFORE,)


def test_with_the_broker_down_the_message_stays_there(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    publisher.is_down = True

    with pytest.raises(Reject) as rejected:
        handle_alone(monkeypatch, lambda body: [invoiced()], delivery())

    assert rejected.value.requeue


def test_a_newer_format_never_reaches_the_handler(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    handled: list[Any] = []

    with pytest.raises(Retry):
        handle_alone(
            monkeypatch, lambda body: handled.append(body) or [], delivery(**{"schema-version": 2})
        )

    [attempt] = decode_attempts(publisher.only().message.headers["attempts"])
    assert "schema-version 2 of order.placed is newer than 1" in attempt.message
    assert handled == []


def test_events_say_how_many_attempts_they_took(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    senders: list[int] = []

    def handle(body: dict[str, Any]) -> list[Message]:
        senders.append(senders_attempt())
        return [invoiced()]

    handle_alone(monkeypatch, handle, delivery(FAILED_BEFORE, attempt=3))

    assert publisher.only().message.headers["attempt"] == 2
    assert senders == [3]
    assert senders_attempt() == 1


def test_a_replay_that_succeeds_is_told_with_its_events(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    handle_alone(monkeypatch, lambda body: [invoiced()], delivery(replay="r1"))

    [[event, news]] = publisher.rounds
    assert event.message.type == "billing.invoiced"
    assert news.routing_key == "replay_outcomes"
    assert json.loads(news.message.body)["replayId"] == "r1"


def test_a_replay_that_fails_is_not_told(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    with pytest.raises(Retry):
        handle_alone(monkeypatch, failing(ValueError("no")), delivery(replay="r1"))

    assert publisher.only().message.type == "order.placed"


def test_a_batch_publishes_in_one_round_and_leaves_out_what_must_run_alone(
    publisher: FakePublisher,
) -> None:
    answers = handle_several(lambda bodies: [[invoiced()], None, [invoiced()]], 3)

    assert [events is None for events in answers] == [False, True, False]
    assert [len(each) for each in publisher.rounds] == [2]


def test_a_batch_that_fails_says_so_and_publishes_nothing(publisher: FakePublisher) -> None:
    def handle(bodies: list[dict[str, Any]]) -> list[list[Message] | None]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        handle_several(handle, 2)

    assert publisher.rounds == []


seen: list[int] = []


def of_another_site(call: Call, go_on: GoOn) -> Answers:
    seen.append(len(call.bodies))
    return go_on()


def test_a_site_adds_its_own(monkeypatch: pytest.MonkeyPatch, settings_of_the_site: Any) -> None:
    seen.clear()
    settings_of_the_site([f"{__name__}.of_another_site"])

    handle_alone(monkeypatch, lambda body: [], delivery())
    handle_several(lambda bodies: [[] for _ in bodies], 3)

    assert seen == [1, 3]
    assert [each.__name__ for each in of_the_site()] == ["of_another_site"]


def test_a_message_that_succeeds_at_once_is_never_noted(
    monkeypatch: pytest.MonkeyPatch, notes: FakeNotes
) -> None:
    handle_alone(monkeypatch, lambda _: [invoiced()], delivery())

    assert notes.changes == []


def test_a_retry_is_noted_with_its_attempts_until_the_message_succeeds(
    monkeypatch: pytest.MonkeyPatch, notes: FakeNotes
) -> None:
    def fails(_: Any) -> list[Message]:
        raise ValueError("card service timed out")

    with pytest.raises(Retry):
        handle_alone(monkeypatch, fails, delivery())
    handle_alone(monkeypatch, lambda _: [invoiced()], delivery(FAILED_BEFORE))

    retried, handled = notes.changes
    assert retried["_id"] == handled["_id"] == "6743f0 billing order.placed:6743f0"
    (attempt,) = retried["$set"]["attempts"]["$literal"]
    assert (attempt["number"], attempt["message"]) == (1, "card service timed out")
    [now, milliseconds] = retried["$set"]["due_at"]["$add"]
    assert (now, milliseconds > 0) == (retried["$set"]["at"], True)
    assert handled["$unset"] == {"due_at": ""}


def test_the_note_says_that_the_message_was_given_up(
    monkeypatch: pytest.MonkeyPatch, notes: FakeNotes
) -> None:
    def fails(_: Any) -> list[Message]:
        raise PermanentError("no such card")

    with pytest.raises(Ignore):
        handle_alone(monkeypatch, fails, delivery(FAILED_BEFORE))

    (given_up,) = notes.changes
    assert (given_up["$unset"], given_up["$set"]["gave_up"]) == ({"due_at": ""}, True)
    # Its last attempt with those before it.
    assert [each["number"] for each in given_up["$set"]["attempts"]] == [1, 2]


def test_a_message_that_is_given_up_at_once_is_noted_with_its_error_for_a_week(
    monkeypatch: pytest.MonkeyPatch, notes: FakeNotes
) -> None:
    """Its order must not be shipped before the archiver has stored it, either."""

    def fails(_: Any) -> list[Message]:
        raise PermanentError("no such card")

    with pytest.raises(Ignore):
        handle_alone(monkeypatch, fails, delivery())

    (given_up,) = notes.changes
    assert given_up["_id"] == "6743f0 billing order.placed:6743f0"
    told = given_up["$set"]
    assert told["gave_up"] is True
    assert (told["service"], told["order_id"]) == ("billing", "6743f0")
    assert [each["message"] for each in told["attempts"]] == ["no such card"]
    # `forget_old` goes by it.
    assert given_up["$currentDate"] == {"at": True}


def test_a_note_that_mongodb_does_not_take_stops_no_retry(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher
) -> None:
    def refuses() -> Any:
        raise AutoReconnect("MongoDB is down")

    def fails(_: Any) -> list[Message]:
        raise ValueError("slow")

    monkeypatch.setattr(retry_notes, "notes", refuses)

    with pytest.raises(Retry):
        handle_alone(monkeypatch, fails, delivery())

    assert publisher.only().message.message_id == "order.placed:6743f0"


def test_a_stopped_retry_is_given_up_before_its_handler_runs(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher, notes: FakeNotes
) -> None:
    notes.stop = {"by": "anna", "reason": "the card was blocked"}
    handled: list[Any] = []

    with pytest.raises(Ignore):
        handle_alone(monkeypatch, lambda body: handled.append(body) or [], delivery(FAILED_BEFORE))

    assert handled == []
    certificate = decode_certificate(publisher.only().message.headers["certificate"])
    assert certificate.reason == "stopped"
    assert certificate.message == "stopped by anna: the card was blocked"
    assert certificate.attempts == (FAILED_BEFORE,)


def test_a_first_attempt_asks_nobody_whether_it_was_stopped(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher, notes: FakeNotes
) -> None:
    notes.is_down = True

    handle_alone(monkeypatch, lambda _: [invoiced()], delivery())

    assert publisher.only().message.type == "billing.invoiced"


def test_a_retry_whose_note_cannot_be_read_waits_and_uses_up_no_attempt(
    monkeypatch: pytest.MonkeyPatch, publisher: FakePublisher, notes: FakeNotes
) -> None:
    notes.is_down = True

    with pytest.raises(Ignore):
        handle_alone(monkeypatch, lambda _: [invoiced()], delivery(FAILED_BEFORE))

    again = publisher.only()
    assert decode_attempts(again.message.headers["attempts"]) == (FAILED_BEFORE,)


def test_what_is_logged_inside_has_the_ids_of_message_order_and_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    seen: list[Any] = []

    def handle(body: dict[str, Any]) -> list[Message]:
        seen.append(dict(log_context.current()))
        return []

    for parent in (f"00-{trace}-00f067aa0ba902b7-01", "no trace", 7):
        handle_alone(monkeypatch, handle, delivery(traceparent=parent))

    assert [each["trace.id"] for each in seen] == [trace, "", ""]
    assert seen[0]["ordersite.message_id"] == "order.placed:6743f0"
    assert seen[0]["ordersite.order_id"] == "6743f0"
    assert log_context.current() == {}


@pytest.mark.parametrize(
    ("correlation_id", "body", "order_id"),
    [
        ("6743f0", b"{}", "6743f0"),
        ("", b'{"orderId": "6743F0000000000000000001"}', "6743f0000000000000000001"),
        ("", b'{"orderId": 7}', "7"),
        ("", b"\xff", ""),
        ("", b"[" * 100_000, ""),
    ],
)
def test_that_a_message_is_given_up_is_logged_with_its_ids(
    monkeypatch: pytest.MonkeyPatch, correlation_id: str, body: bytes, order_id: str
) -> None:
    """Also where the consumer refuses it, outside of any middleware."""
    seen: list[Any] = []

    def log(*_: object) -> None:
        seen.append(dict(log_context.current()))

    monkeypatch.setattr(dead_letters.logger, "error", log)

    given_up = structs.replace(delivery(), correlation_id=correlation_id)
    dead_letters.dead_letter(given_up, body, PermanentError("no"))

    [line] = seen
    assert line["ordersite.message_id"] == "order.placed:6743f0"
    assert line["ordersite.order_id"] == order_id
