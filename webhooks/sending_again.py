"""What has failed is sent again, with the same `webhook-id`: one delivery, or all since a moment.

Of many the first batch goes at once. The scheduler has the next one follow when little of it waits:
the endpoint's new events are then never behind more than a batch.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from messaging.isolation import isolated
from runtime.mongodb_clock import mongodb_now
from webhooks import waking
from webhooks.store import Document, deliveries, endpoints

logger = logging.getLogger(__name__)

CANNOT_GO_ON = (
    "What the webhook endpoint %s missed cannot be sent again, as its document is not as this "
    "release stores one; the others' is. Correct the document, or disable the endpoint."
)

BATCH = 1_000
#: Of an endpoint's, so that nobody waits long for a number.
MOST_COUNTED = 100_000


def send_again(known: Document) -> Document | None:
    """Begin the attempts of a settled delivery anew; one that is pending is tried at once.

    Returns: the delivery; None where it is gone.
    """
    changed = deliveries().find_one_and_update(
        {"_id": known["_id"]}, {"$set": anew()}, return_document=ReturnDocument.AFTER
    )
    waking.let_in(known["endpoint"])
    return changed


def send_all_again(id_: str, since: datetime, by: str) -> int:
    """Begin the attempts of all deliveries anew that were noted since then and have failed by now.

    Again, it changes nothing: what waits already has not failed.

    Args:
        id_: of an endpoint that is enabled.

    Returns: how many there are, counted to `MOST_COUNTED`.
    """
    now = mongodb_now()
    count = deliveries().count_documents(failed(id_, since, now), limit=MOST_COUNTED)
    # Of two who ask at once, both are heard.
    both = {"again_since": {"$min": ["$again_since", since]}, "again_until": now}
    known = endpoints().find_one_and_update(
        {"_id": id_, "state": "enabled"},
        [{"$set": both}],
        return_document=ReturnDocument.AFTER,
    )
    if known:
        logger.info("%s sends again what the webhook endpoint %s missed: %d", by, id_, count)
        send_batch(known)
        waking.let_in(id_)
    return count


def go_on() -> int:
    """Send the next batch to each endpoint that has little of the last; the scheduler runs this.

    Returns: how many deliveries are sent again.
    """
    count = 0
    for each in endpoints().find({"again_since": {"$ne": None}, "state": "enabled"}):
        with isolated(logger, CANNOT_GO_ON, each["_id"]):
            if has_little(each["_id"]):
                count += send_batch(each)
    return count


def has_little(id_: str) -> bool:
    return deliveries().count_documents({"endpoint": id_, "state": "pending"}, limit=BATCH) < BATCH


def send_batch(endpoint: Document) -> int:
    """Begin a batch's attempts anew, the oldest first; returns how many they are."""
    id_, until = endpoint["_id"], endpoint["again_until"]
    wanted = failed(id_, endpoint["again_since"], until)
    found = deliveries().find(wanted, {}).sort("created_at", 1).limit(BATCH)
    ids = [each["_id"] for each in found]
    still_failed = {"_id": {"$in": ids}, "state": "failed"}
    count = deliveries().update_many(still_failed, {"$set": anew()}).modified_count
    if len(ids) < BATCH:
        over = {"again_since": None, "again_until": None}
        endpoints().update_one({"_id": id_, "again_until": until}, {"$set": over})
    if count:
        waking.wake([id_])
    return count


def failed(id_: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Finds what was noted since the one moment and had failed by the other, and so not since."""
    return {
        "endpoint": id_,
        "state": "failed",
        "created_at": {"$gte": since},
        "settled_at": {"$lte": until},
    }


def anew() -> dict[str, Any]:
    now = mongodb_now()
    # Whoever sends it moves `due_at`.
    again = {"due_at": now, "asked_again_at": now}
    return {"state": "pending", "tries": 0, "settled_at": None, **again}
