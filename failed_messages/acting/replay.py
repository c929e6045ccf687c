"""Replay: send a failed message to the service that gave it up, and to no other.

A record is claimed by one transaction before anything is published, so that any number of
clicks publish once. If no answer comes from the broker, the record stays claimed and
`publish_claimed` publishes it later: consumers are idempotent, so a second copy does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId
from django.conf import settings

from failed_messages.acting.claiming import ENVELOPE, claim_all
from failed_messages.acting.second_person import REPLAY, ask_if_needed, count_done
from failed_messages.acting.sending import Sender
from failed_messages.models import Status
from failed_messages.reading.act_result import NOT_KNOWN, Verdict, record_id, refusal
from failed_messages.reading.staleness import Stale, moved_on
from failed_messages.records.collection import failed_messages
from messaging.publishing.publisher import Publisher
from runtime.batches import in_batches
from runtime.mongodb_clock import mongodb_now, not_between

#: A claim younger than this may be about to be published by the one who made it.
CLAIM_SECONDS = 30
CLAIM_LASTS = timedelta(seconds=CLAIM_SECONDS)
#: Claims that one run of `publish_claimed` takes up; the next run takes the rest.
CLAIMS_A_RUN = 500
#: Records claimed in one transaction.
CHUNK_MESSAGES = 100
#: What can neither be published nor be failed again is tried, and logged, once in so long.
STUCK_SECONDS = 3_600

#: When each such was found, on `time.monotonic`'s clock. Not in its document, which MongoDB may
#: refuse to change.
_stuck: dict[ObjectId, float] = {}


def replay(
    ids: Iterable[str | ObjectId], by: str, reason: str = "", approved: bool = False
) -> list[Verdict]:
    """Publish failed messages again, each to the queue of its service alone.

    Args:
        ids: the records' ids; one that cannot be replayed is refused, the others go on.
        by: who replays, for the history and the audit log.
        reason: why; without one, a message whose order has changed is refused.
        approved: whether a second person has approved it, or none is asked, as by a policy.

    Returns: a verdict for each id, in order.

    Raises:
        Waits: a second person has to approve it first.
    """
    wanted = list(ids)
    noted = None
    if not approved:
        named = [str(id_) for id_ in wanted]
        noted = ask_if_needed(REPLAY, len(set(named)), by, reason, ids=named)
    verdicts: list[Verdict] = []
    with Publisher(settings.AMQP_URL) as publisher:
        sender = Sender(publisher)
        for chunk in in_batches(wanted, CHUNK_MESSAGES):
            verdicts.extend(_replay_chunk(sender, chunk, by, reason.strip()))
    count_done(noted, sum(each.done for each in verdicts))
    return verdicts


def publish_claimed() -> int:
    """Publish what was claimed but never confirmed; the scheduler runs this every 30 s.

    Returns: how many records it took up.
    """
    now = mongodb_now()
    claimed: dict[str, Any] = {
        "status": Status.REPLAYING,
        "replay.published_at": None,
        "replay.at": not_between(now - CLAIM_LASTS, now + CLAIM_LASTS),
    }
    if stuck := _stuck_now():
        claimed["_id"] = {"$nin": stuck}
    records = list(failed_messages().find(claimed, ENVELOPE).limit(CLAIMS_A_RUN))
    with Publisher(settings.AMQP_URL) as publisher:
        verdicts = Sender(publisher).send(records)
    found_at = time.monotonic()
    _stuck.update((id_, found_at) for id_, each in verdicts.items() if each.detail == NOT_KNOWN)
    return len(records)


def _stuck_now() -> list[ObjectId]:
    """Those that are not to be tried again yet."""
    now = time.monotonic()
    for id_ in [id_ for id_, found_at in _stuck.items() if now - found_at >= STUCK_SECONDS]:
        del _stuck[id_]
    return list(_stuck)


def _replay_chunk(
    sender: Sender, chunk: Sequence[str | ObjectId], by: str, reason: str
) -> list[Verdict]:
    keys = {id_: record_id(id_) for id_ in chunk}
    stale = {} if reason else _stale([key for key in keys.values() if key])
    claimed, wrong = claim_all(
        [key for key in keys.values() if key and key not in stale], by, reason
    )
    sent = sender.send(list(claimed.values()))
    sent |= {key: Verdict(str(key), done=False, detail=NOT_KNOWN) for key in wrong}
    return [
        sent.pop(key) if key in sent else _refused(id_, stale.get(key) if key else None)
        for id_, key in ((id_, keys[id_]) for id_ in chunk)
    ]


def _stale(keys: list[ObjectId]) -> dict[ObjectId, Stale]:
    wanted = {"_id": {"$in": keys}, "status": Status.FAILED}
    fields = {"order_id": True, "type": True, "headers": True}
    return moved_on(failed_messages().find(wanted, fields))


def _refused(id_: str | ObjectId, stale: Stale | None) -> Verdict:
    if stale is None:
        return refusal(id_, "replay")
    detail = f"{stale.detail}; give a reason to replay it anyway"
    return Verdict(str(id_), done=False, detail=detail)
