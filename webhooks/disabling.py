"""Endpoints that get nothing any more, until their owner enables them again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from webhooks.sending import Sent
from webhooks.store import Document, deliveries, endpoints

logger = logging.getLogger(__name__)

#: An endpoint with nothing but failures for so long is disabled.
DISABLED_AFTER = timedelta(days=5)

#: As long as `Endpoint.reason`.
MOST_CHARACTERS = 300


def disable_if_hopeless(endpoint: Document, sent: Sent) -> None:
    """Disable an endpoint that this attempt has failed for, where it wants nothing any more or has
    failed for days.

    Raises pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    id_ = endpoint["_id"]
    if sent.is_gone:
        disable(id_, "It answered 410 Gone, so it wants no events any more.", sent.at)
    elif is_dead(endpoint["failing_since"], sent.at):
        days = DISABLED_AFTER.days
        reason = f"Nothing but failures for {days} days; the last one: {sent.in_words}."
        disable(id_, reason, sent.at, for_failures=True)
        logger.warning("The webhook endpoint %s is disabled. %s", id_, reason)


def is_dead(failing_since: datetime, now: datetime) -> bool:
    """Whether an endpoint that has failed since then is to be disabled."""
    return now - failing_since >= DISABLED_AFTER


def disable(id_: str, reason: str, now: datetime, *, for_failures: bool = False) -> Document | None:
    """Send nothing more to it; what it was yet to get has failed, and can be sent again.

    Args:
        for_failures: nobody asked for it, so that the operators are told.

    Returns: the endpoint; None where there is none.
    """
    change = {"state": "disabled", "reason": reason[:MOST_CHARACTERS], "disabled_at": now}
    change |= {"is_untold": for_failures}
    quiet = {"next_at": None, "held_until": None, "again_since": None, "again_until": None}
    endpoints().update_one({"_id": id_, "state": "enabled"}, {"$set": {**change, **quiet}})
    deliveries().update_many(
        {"endpoint": id_, "state": "pending"}, {"$set": {"state": "failed", "settled_at": now}}
    )
    return endpoints().find_one({"_id": id_})


def enable(id_: str) -> Document | None:
    """Send it events again, those from now on; nothing is known against it any more."""
    change: dict[str, Any] = {
        "state": "enabled",
        "reason": "",
        "disabled_at": None,
        "is_untold": False,
        "failures": 0,
        "failing_since": None,
        "held_until": None,
    }
    endpoints().update_one({"_id": id_, "state": "disabled"}, {"$set": change})
    return endpoints().find_one({"_id": id_})


def untold() -> list[Document]:
    """Endpoints that failures have disabled, of which the operators have not been told."""
    return list(endpoints().find({"state": "disabled", "is_untold": True}))


def note_told(id_: str, is_told: bool) -> bool:
    """Note whether they were told; returns whether that is news: of several who tell one does."""
    changed = endpoints().update_one(
        {"_id": id_, "is_untold": is_told}, {"$set": {"is_untold": not is_told}}
    )
    return changed.modified_count == 1
