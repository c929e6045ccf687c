"""Counts all orders exactly, and seldom: at ten million that takes MongoDB seconds.

MongoDB's own count costs nothing and is wrong after a crash, so that a page would show orders that
there are not, or miss some, for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from bson import ObjectId

from orders.collection import orders
from ordersite.pipeline.conservation import Accepted, accepted_of
from runtime.mongodb_clock import mongodb_now

#: One part in so many of the time goes into counting all.
SHARE = 50
#: Ids are in the sequence of their seconds; a process may store one somewhat later.
LATE = timedelta(seconds=30)


class AllOrders:
    """Counts those before a moment now and then, and those since each time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._again_at = 0.0
        self._before: ObjectId | None = None
        self._counted = 0

    def count(self) -> int:
        """How many orders there are.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        if self._before is None or self._clock() >= self._again_at:
            self._count_again()
        return self._counted + counted({"_id": {"$gte": self._before}})

    def accepted(self) -> Accepted:
        """The same for the conservation lines."""
        return accepted_of(self.count())

    def _count_again(self) -> None:
        began = self._clock()
        before = ObjectId.from_datetime(mongodb_now() - LATE)
        self._counted = counted({"_id": {"$lt": before}})
        self._before = before
        self._again_at = self._clock() + SHARE * (self._clock() - began)


def counted(query: dict[str, object]) -> int:
    return orders().count_documents(query, hint="_id_")


def estimated() -> Accepted:
    """At no cost, where nobody counts: what MongoDB itself has counted."""
    return accepted_of(orders().estimated_document_count())
