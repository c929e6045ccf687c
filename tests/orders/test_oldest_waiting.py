"""Which order waits longest for a service, of those that wait for no known reason."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from messaging.service import services
from orders import unanswered
from orders.collection import orders

pytestmark = pytest.mark.usefixtures("db")

BEGAN = datetime(2026, 12, 1, tzinfo=UTC)


def waiting(count: int) -> list[str]:
    """So many orders that billing owes an answer, the one that waits longest first."""
    documents = [
        {
            "_id": ObjectId(),
            "awaited": ["billing order.placed"],
            "awaited_since": BEGAN + timedelta(seconds=second),
        }
        for second in range(count)
    ]
    orders().insert_many(documents)
    return [str(each["_id"]) for each in documents]


def test_it_is_found_behind_thousands_that_failed() -> None:
    *failed, lost = waiting(5_000)
    asked: list[int] = []

    def explained(order_ids: Collection[str]) -> set[str]:
        asked.append(len(order_ids))
        return {*failed} & {*order_ids}

    found = unanswered.oldest(services()["billing"], explained)

    assert found is not None
    assert found.order_id == lost
    assert sum(asked) == 5_000
    assert len(asked) <= 6, "the more failed, the more are asked about at once"


def test_few_are_asked_about_where_the_first_one_is_it() -> None:
    first, *_ = waiting(2_000)
    asked: list[int] = []

    def explained(order_ids: Collection[str]) -> set[str]:
        asked.append(len(order_ids))
        return set()

    found = unanswered.oldest(services()["billing"], explained)

    assert found is not None
    assert found.order_id == first
    assert asked == [unanswered.EXPLAINED_AT_FIRST]
