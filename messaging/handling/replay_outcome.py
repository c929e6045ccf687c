"""Reports that a replayed message was handled."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.handling.dead_letters import worker_name
from messaging.incoming import Delivery
from messaging.message import Message
from messaging.publishing.publisher import Outgoing
from messaging.topology import by_name, replay_outcomes

#: Of a replay's id, which is a UUID.
ID_CHARACTERS = 36


def report_success(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: the news leaves with the handler's events."""
    answers = go_on()
    replay_id = call.delivery.headers.get("replay")
    # A publisher may write anything there; only the desk's replays have an outcome.
    if isinstance(replay_id, str) and len(replay_id) <= ID_CHARACTERS:
        news = _succeeded(call.delivery, replay_id)
        call.also = [Outgoing(news, by_name.name, replay_outcomes.name)]
    return answers


def _succeeded(delivery: Delivery, replay_id: str) -> Message:
    outcome = {
        "replayId": replay_id,
        "service": delivery.service,
        "messageId": delivery.message_id,
        "at": datetime.now(UTC),
        "worker": worker_name(delivery.service),
    }
    return Message(
        body=msgspec.json.encode(outcome),
        type="replay.succeeded",
        message_id=f"replay.succeeded:{replay_id}",
        correlation_id=delivery.correlation_id,
    )
