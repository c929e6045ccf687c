"""What an owner does with an endpoint: make, change, rotate, delete, test."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from runtime.moment import for_programs
from runtime.mongodb_clock import mongodb_now
from webhooks import rotation, waking
from webhooks.message_ids import message_id_of_test
from webhooks.noting import delivery
from webhooks.order_in_message import About
from webhooks.store import Document, deliveries, endpoints

logger = logging.getLogger(__name__)

#: The type of what is sent as a test.
TEST = "webhook.test"
MOST_OF_A_CUSTOMER = 20


class Made(NamedTuple):
    """An endpoint, and whether the same request had made it before."""

    endpoint: Document
    was_there: bool = False


class TooMany(Exception):
    """The customer has as many endpoints as one may have."""


class OtherRequest(Exception):
    """The Idempotency-Key or form made another endpoint, or one whose secret is shown no more."""


def create(
    url: str,
    types: Sequence[str],
    *,
    user_id: int | None,
    description: str,
    by: str,
    key: str = "",
) -> Made:
    """Make an endpoint.

    Args:
        user_id: the customer whose orders alone it hears of; None for a shop's, which hears of all.
        key: identifies the request over all clients; again, it finds what it has made. Empty: none.

    Raises:
        TooMany, OtherRequest: it is not made.
    """
    id_ = hashlib.sha256(key.encode()).hexdigest()[:16] if key else secrets.token_hex(8)
    fingerprint = fingerprint_of(url, sorted(set(types)), user_id, description) if key else ""
    if key and (earlier := endpoints().find_one({"_id": id_})):
        if earlier["fingerprint"] != fingerprint:
            raise OtherRequest
        return Made(earlier, was_there=True)
    if user_id is not None and has_all(user_id):
        raise TooMany
    new = new_endpoint(id_, url, types, user_id, description, by, fingerprint)
    try:
        endpoints().insert_one(new)
    except DuplicateKeyError:
        # The same request at the same moment.
        return create(url, types, user_id=user_id, description=description, by=by, key=key)
    if user_id is not None and number_of(user_id) > MOST_OF_A_CUSTOMER:
        # Others were made since they were counted. Each is counted again, so the last one is seen.
        delete(id_)
        raise TooMany
    logger.info("%s created the webhook endpoint %s", by, id_)
    return Made(new)


def fingerprint_of(*asked: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def new_endpoint(
    id_: str,
    url: str,
    types: Sequence[str],
    user_id: int | None,
    description: str,
    by: str,
    fingerprint: str,
) -> Document:
    """The document of an endpoint that nothing was sent to yet."""
    now = mongodb_now()
    return {
        "_id": id_,
        "user_id": user_id,
        "url": url,
        "description": description,
        "types": sorted(set(types)),
        "secrets": [rotation.first(now)],
        "state": "enabled",
        "reason": "",
        "disabled_at": None,
        "is_untold": False,
        "created_at": now,
        "created_by": by,
        "fingerprint": fingerprint,
        "failures": 0,
        "failing_since": None,
        "last_success_at": None,
        "is_slow": False,
        "held_until": None,
        "next_at": None,
        "again_since": None,
        "again_until": None,
        "woken": 0,
    }


def has_all(user_id: int) -> bool:
    return number_of(user_id) >= MOST_OF_A_CUSTOMER


def number_of(user_id: int) -> int:
    """How many endpoints the customer has."""
    return endpoints().count_documents({"user_id": user_id})


def change(id_: str, changes: Mapping[str, Any]) -> Document | None:
    """Write these fields of the endpoint and return it; None where there is none."""
    if not changes:
        return endpoints().find_one({"_id": id_})
    if "types" in changes:
        changes = {**changes, "types": sorted(set(changes["types"]))}
    if "url" in changes:
        # What is known of the one before says nothing about this one.
        new = {"failures": 0, "failing_since": None, "held_until": None, "last_success_at": None}
        changes = {**changes, **new}
    changed = endpoints().find_one_and_update(
        {"_id": id_}, {"$set": dict(changes)}, return_document=ReturnDocument.AFTER
    )
    waking.wake([id_])
    return changed


def rotate(known: Document, overlap: timedelta, by: str) -> Document | None:
    """Give the endpoint another secret; those that it has sign beside it for `overlap` yet.

    Returns: the endpoint; None where it changed meanwhile.
    """
    new = rotation.rotated(known["secrets"], mongodb_now(), overlap)
    logger.info("%s rotated the secret of the webhook endpoint %s", by, known["_id"])
    return endpoints().find_one_and_update(
        {"_id": known["_id"], "secrets": known["secrets"]},
        {"$set": {"secrets": new}},
        return_document=ReturnDocument.AFTER,
    )


def delete(id_: str) -> None:
    """Delete the endpoint and the log of its deliveries."""
    endpoints().delete_one({"_id": id_})
    deliveries().delete_many({"endpoint": id_})


class SentTest(NamedTuple):
    """A test's delivery, and whether the same request had it sent before."""

    delivery: Document
    was_there: bool = False


def send_test(endpoint: Document, key: str = "") -> SentTest:
    """Have a test sent to the endpoint.

    Args:
        key: identifies the request over all clients; again, nothing more is sent. Empty: none.
    """
    now = mongodb_now()
    body = {"type": TEST, "timestamp": for_programs(now), "endpointId": endpoint["_id"]}
    text = msgspec.json.encode(body).decode()
    test = delivery(endpoint["_id"], TEST, About("", 0), text, now, message_id_of_test(key))
    test |= {"user_id": endpoint["user_id"]}
    try:
        deliveries().insert_one(test)
    except DuplicateKeyError:
        return SentTest(test, was_there=True)
    waking.let_in(endpoint["_id"])
    return SentTest(test)
