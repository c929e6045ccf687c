"""Which keys are in use, and what their first requests were answered with.

By MongoDB's clock: by two machines' own, the one that is ahead would take a key for left whose
request is at work on the other.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from runtime.durable_read import find_durable
from runtime.mongodb_clock import mongodb_now
from runtime.requests.idempotency_key import HEADER, REPLAYED
from runtime.requests.problem_types import KEY_IN_USE, KEY_REUSED
from runtime.requests.refusal import Fault, Refusal
from runtime.stored_documents import AWARE

TITLE = "Nothing was done"
#: A request that has no answer after so long has none: its process is gone.
CLAIM_SECONDS = 60
TRIES = 3

#: What of an answer belongs to the act, and not to this one request.
KEPT_FIELDS = ("Content-Type", "Location", "ETag")

OTHER_REQUEST = Fault(
    field=HEADER,
    detail="was used for another request",
    fix="Send the first request again unchanged, or a new key for a new request.",
)
IN_USE = Fault(
    field=HEADER,
    detail="is in use by a request that is not answered yet",
    fix="Send the same request again in a second.",
)


class Claim(NamedTuple):
    """The right to act for this key, until it is settled."""

    key: str
    claimed_at: datetime


def claim(key: str, fingerprint: str) -> Claim | HttpResponse:
    """Take the key for this request; the first answer again, where it was taken and answered.

    Args:
        key: as it is unique over all clients.
        fingerprint: equal for equal requests.

    Raises:
        Refusal: it is another request's (422), or that one is not answered yet (409).
        pymongo.errors.PyMongoError: MongoDB did not answer; nothing was done.
    """
    for _ in range(TRIES):
        now = mongodb_now()
        try:
            keyed_requests().insert_one(new(key, fingerprint, now))
        except DuplicateKeyError:
            earlier = find_durable(keyed_requests(), {"_id": key})
        else:
            return Claim(key, now)
        if earlier is None or forgotten(earlier, now):
            continue
        if earlier["fingerprint"] != fingerprint:
            raise Refusal(TITLE, [OTHER_REQUEST], KEY_REUSED)
        if earlier["status"] is not None:
            return first_answer(earlier)
        if not is_left(earlier, now):
            break
    raise Refusal(TITLE, [IN_USE], KEY_IN_USE)


def settle(claim: Claim, answer: HttpResponse) -> None:
    """Keep the answer for those who ask again; one that did nothing frees the key.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    mine = {"_id": claim.key, "claimed_at": claim.claimed_at}
    if not 200 <= answer.status_code < 300 or answer.streaming:
        keyed_requests().delete_one(mine)
        return
    head = {name: answer[name] for name in KEPT_FIELDS if name in answer}
    change = {"status": answer.status_code, "head": json.dumps(head), "body": answer.text}
    keyed_requests().update_one(mine, {"$set": change})


def keyed_requests() -> Collection[dict[str, Any]]:
    return connection.database.get_collection("keyed_requests", codec_options=AWARE)


def new(key: str, fingerprint: str, now: datetime) -> dict[str, Any]:
    lifetime = timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)
    return {
        "_id": key,
        "fingerprint": fingerprint,
        "claimed_at": now,
        "expires_at": now + lifetime,
        "status": None,
    }


def forgotten(earlier: dict[str, Any], now: datetime) -> bool:
    """Whether the key was used too long ago to count, and is free again."""
    if earlier["expires_at"] > now:
        return False
    keyed_requests().delete_one({"_id": earlier["_id"], "expires_at": earlier["expires_at"]})
    return True


def is_left(earlier: dict[str, Any], now: datetime) -> bool:
    """Whether whoever had the key is gone without an answer; then it is free again."""
    # One of the future is of a clock that was ahead, see docs/decisions/0024.
    if abs(now - earlier["claimed_at"]) < timedelta(seconds=CLAIM_SECONDS):
        return False
    left = {"_id": earlier["_id"], "claimed_at": earlier["claimed_at"], "status": None}
    return keyed_requests().delete_one(left).deleted_count == 1


def first_answer(earlier: dict[str, Any]) -> HttpResponse:
    headers = {**json.loads(earlier["head"]), REPLAYED: "true"}
    return HttpResponse(earlier["body"], status=earlier["status"], headers=headers)
