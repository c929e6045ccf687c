"""Orders of an import that are the same as another one, and have no `orderRef`.

With an `orderRef` a repeat is known for one. Without, it may be meant: so it is placed, and its
sender is warned; a dry run warns before anything is placed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId

from messaging.isolation import isolated
from orders.collection import orders
from orders.idempotency import asked_for

#: An order is compared with those of its user that are no older …
COMPARED_WITH = timedelta(hours=24)
#: … the newest of all users of a batch …
MOST_STORED = 1_000
#: … and with so many of its own file.
MOST_OF_A_FILE = 200_000

TWICE = "The same as line {line}, and without an orderRef: both are placed."
AGAIN = "The same as order {id} of the last 24 hours, and without an orderRef: it is placed again."

UNREADABLE = (
    "No imported order is compared with order %s, as its document is not as this release stores "
    "one."
)

logger = logging.getLogger(__name__)

#: The user, and the units of each SKU.
Content = tuple[int, frozenset[tuple[str, int]]]


class LookAlikes:
    """What one import has had so far."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._lines: dict[Content, int] = {}
        #: Orders of which the log says so already.
        self._unreadable: set[Any] = set()

    def warnings(self, batch: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[int, str]:
        """What is to be told of some orders, by line; each comes as its line and its document.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        asked = {line: content(document) for line, document in batch}
        stored = self._stored({user_id for user_id, _ in asked.values()}) if asked else {}
        told = {line: self._told(line, each, stored) for line, each in asked.items()}
        return {line: warning for line, warning in told.items() if warning}

    def _told(self, line: int, asked: Content, stored: Mapping[Content, str]) -> str:
        first = self._lines.get(asked)
        if first is not None:
            return TWICE.format(line=first)
        if len(self._lines) < MOST_OF_A_FILE:
            self._lines[asked] = line
        return AGAIN.format(id=stored[asked]) if asked in stored else ""

    def _stored(self, user_ids: set[int]) -> dict[Content, str]:
        """The ids of these users' latest orders, without those of this import."""
        oldest, newest = self._began - COMPARED_WITH, self._began + timedelta(seconds=1)
        query = {
            "user_id": {"$in": [*user_ids]},
            # Bounds of the index, so that neither old orders nor this import's own are read.
            "_id": {"$gte": ObjectId.from_datetime(oldest), "$lt": ObjectId.from_datetime(newest)},
            "created_at": {"$lt": self._began},
        }
        found = orders().find(query, {"user_id": True, "items": True}).sort("_id", -1)
        stored: dict[Content, str] = {}
        for each in found.limit(MOST_STORED):
            if each["_id"] in self._unreadable:
                continue
            self._unreadable.add(each["_id"])
            with isolated(logger, UNREADABLE, each["_id"]):
                stored[content(each)] = str(each["_id"])
                self._unreadable.remove(each["_id"])
        return stored


def content(order: Mapping[str, Any]) -> Content:
    user_id, units = asked_for(order)
    return user_id, frozenset(units.items())
