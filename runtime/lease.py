"""A lease: of several processes that could do a job, only one does it.

A lease that is not renewed expires, so that a killed holder is followed by another one. The
times are MongoDB's own (`$$NOW`), as the clocks of two machines differ. That clock may be set back,
too: a lease that ends later than any could that is taken now has expired.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from django.db import connection
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

RELAY_LEASE = "relay"
LEASE_SECONDS = 10.0
RENEWAL_SECONDS = 2.0
LEASE_MILLISECONDS = round(LEASE_SECONDS * 1000)

#: Two primaries' clocks may differ by another lease.
IS_UNEXPIRED = {
    "$and": [
        {"$gte": ["$expires_at", "$$NOW"]},
        {"$lte": ["$expires_at", {"$add": ["$$NOW", 2 * LEASE_MILLISECONDS]}]},
    ]
}


class Lease:
    """The lease named `name`, asked for by one holder: this object."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._holder = str(uuid.uuid4())
        self._renew_at = 0.0

    def is_held(self) -> bool:
        """Take, renew or keep the lease; return whether it is ours now.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        if time.monotonic() < self._renew_at:
            return True
        asked_at = time.monotonic()
        held = self._ask()
        self._renew_at = asked_at + RENEWAL_SECONDS if held else 0.0
        return held

    def release(self) -> None:
        """Let another holder have it at once."""
        self._renew_at = 0.0
        leases().delete_one({"_id": self._name, "holder": self._holder})

    def _ask(self) -> bool:
        is_ours = {"$eq": [{"$ifNull": ["$holder", self._holder]}, self._holder]}
        is_free = {"$or": [is_ours, {"$not": [IS_UNEXPIRED]}]}
        expiry = {"$add": ["$$NOW", LEASE_MILLISECONDS]}
        claim = {
            "holder": {"$cond": [is_free, self._holder, "$holder"]},
            "expires_at": {"$cond": [is_free, expiry, "$expires_at"]},
        }
        try:
            lease = leases().find_one_and_update(
                {"_id": self._name},
                [{"$set": claim}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            return False  # Another holder made the document at the same moment.
        return lease is not None and lease["holder"] == self._holder


@contextmanager
def kept(lease: Lease) -> Iterator[None]:
    """Renew a lease that is ours as long as the block runs, and let the next one have it then."""
    ended = Event()
    renewing = Thread(target=renew, args=(lease, ended), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        # Where MongoDB is down it ends by itself.
        with suppress(PyMongoError):
            lease.release()


def renew(lease: Lease, ended: Event) -> None:
    while not ended.wait(RENEWAL_SECONDS):
        # An outage is the affair of the block itself.
        with suppress(PyMongoError):
            lease.is_held()


def is_taken(name: str) -> bool:
    """Whether anyone holds the lease now.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    return leases().find_one({"_id": name, "$expr": IS_UNEXPIRED}) is not None


def leases() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database["relay_lease"]
    return collection
