"""What an attempt changes: the delivery, and how its endpoint is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from webhooks.counts import REQUESTS
from webhooks.disabling import disable_if_hopeless
from webhooks.schedule import MOST_HOLD_SECONDS, delay_after
from webhooks.sending import Sent
from webhooks.store import deliveries, endpoints
from webhooks.waking import Health, health_of

#: In the log of one delivery; older ones are left out.
MOST_ATTEMPTS = 20
#: How exactly `last_success_at` is kept: a busy endpoint is not written at each delivery. For so
#: long after a slow answer an endpoint is a slow one.
LAST_SUCCESS = timedelta(seconds=60)


def note_attempt(delivery: Mapping[str, Any], sent: Sent) -> None:
    """What the attempt changes of the delivery.

    Raises:
        pymongo.errors.WriteError: its document is not as this release stores one.
        pymongo.errors.PyMongoError: MongoDB did not answer; it is sent once more then.
    """
    REQUESTS.observe(sent.milliseconds / 1000, "succeeded" if sent.is_success else "failed")
    if sent.is_success:
        settled(delivery, sent, "delivered")
    else:
        failed(delivery, sent)


def note_health(endpoint: Mapping[str, Any], sent: Sent) -> None:
    """What it changes of what is known of the endpoint.

    Args:
        endpoint: as it was when it was claimed.
    """
    if not sent.is_success:
        note_failure(endpoint["_id"], sent)
    elif sent.is_slow or not is_known_to_answer(endpoint, sent.at):
        note_success(endpoint["_id"], sent)


def settled(delivery: Mapping[str, Any], sent: Sent, state: str) -> None:
    deliveries().update_one(
        {"_id": delivery["_id"], "state": "pending"},
        {**logged(sent), "$set": {"state": state, "settled_at": sent.at}},
    )


def give_up(delivery: Mapping[str, Any], now: datetime) -> None:
    """A delivery that cannot be sent, or noted, has failed; nothing else of it changes."""
    deliveries().update_one(
        {"_id": delivery["_id"], "state": "pending"},
        {"$set": {"state": "failed", "settled_at": now}},
    )


def failed(delivery: Mapping[str, Any], sent: Sent) -> None:
    """It is tried again later, or given up."""
    delay = delay_after(delivery["tries"] + 1)
    if delay is None:
        settled(delivery, sent, "failed")
        return
    due_at = max(sent.at + delay, sent.not_before or sent.at)
    deliveries().update_one(
        {"_id": delivery["_id"], "state": "pending"},
        {**logged(sent), "$set": {"due_at": due_at}},
    )


def logged(sent: Sent) -> dict[str, Any]:
    attempts = {"$each": [sent.document()], "$slice": -MOST_ATTEMPTS}
    return {"$push": {"attempts": attempts}, "$inc": {"tries": 1}}


def is_known_to_answer(endpoint: Mapping[str, Any], at: datetime) -> bool:
    answers = health_of(endpoint) in (Health.WORKS, Health.SLOW)
    return answers and at - endpoint["last_success_at"] < LAST_SUCCESS


def note_success(endpoint: str, sent: Sent) -> None:
    change = {
        "failures": 0,
        "failing_since": None,
        "held_until": None,
        "last_success_at": sent.at,
        "is_slow": sent.is_slow,
    }
    endpoints().update_one({"_id": endpoint}, {"$set": change})


def note_failure(endpoint: str, sent: Sent) -> None:
    """Leave the endpoint alone for a while, or for good."""
    since = {"$ifNull": ["$failing_since", sent.at]}
    held = {"$min": [{"$subtract": [sent.at, since]}, MOST_HOLD_SECONDS * 1000]}
    change = {
        "failures": {"$add": ["$failures", 1]},
        "failing_since": since,
        "held_until": {"$max": [{"$add": ["$$NOW", {"$max": [held, 0]}]}, sent.not_before]},
    }
    known = endpoints().find_one_and_update(
        {"_id": endpoint, "state": "enabled"},
        [{"$set": change}],
        return_document=ReturnDocument.AFTER,
    )
    if known is not None:
        disable_if_hopeless(known, sent)
