"""Counts orders exactly, and seldom: at ten million that takes MongoDB seconds.

MongoDB's own count costs nothing and is wrong after a crash, so that a page would show orders that
there are not, or miss some, for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bson import ObjectId

from messaging.service import Service
from orders.collection import orders
from orders.unanswered import heard_of_by, hears_all
from ordersite.pipeline.conservation import Accepted, accepted_of
from runtime.mongodb_clock import mongodb_now

#: One part in so many of the time goes into counting all.
SHARE = 50
#: Ids are in the sequence of their seconds; a process may store one somewhat later.
LATE = timedelta(seconds=30)


class SeldomCounted:
    """Counts the orders of a query that came before a moment now and then, later ones each time."""

    def __init__(
        self,
        query: Mapping[str, Any],
        hint: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._query, self._hint, self._clock = query, hint, clock
        self._again_at = 0.0
        self._before: ObjectId | None = None
        self._counted = 0

    def count(self) -> int:
        """How many such orders there are.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        if self._before is None or self._clock() >= self._again_at:
            self._count_again()
        return self._counted + self._count({"$gte": self._before})

    def _count_again(self) -> None:
        began = self._clock()
        before = ObjectId.from_datetime(mongodb_now() - LATE)
        self._counted = self._count({"$lt": before})
        self._before = before
        self._again_at = self._clock() + SHARE * (self._clock() - began)

    def _count(self, ids: Mapping[str, Any]) -> int:
        options: dict[str, Any] = {"hint": self._hint} if self._hint else {}
        return orders().count_documents({**self._query, "_id": ids}, **options)


class OrderCounts:
    """How many orders there are, and how many each service has to do with."""

    def __init__(self) -> None:
        self._all = SeldomCounted({}, hint="_id_")
        #: Of the services that first hear of an order by a later event, or not of each.
        self._later: dict[str, SeldomCounted] = {}

    def accepted(self) -> Accepted:
        """What counts for the conservation lines: those that hear of every order agree.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        total = self._all.count()

        def accepted(service: Service) -> int:
            return total if hears_all(service) else self._of(service).count()

        return accepted

    def _of(self, service: Service) -> SeldomCounted:
        return self._later.setdefault(service.name, SeldomCounted(heard_of_by(service)))


def estimated() -> Accepted:
    """At no cost, where nobody counts: what MongoDB itself has counted."""
    return accepted_of(orders().estimated_document_count())
