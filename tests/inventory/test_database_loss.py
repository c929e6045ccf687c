"""MongoDB may die in the middle of a commit; the books balance anyway."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

from inventory.reserving import reservations, reserve
from localservices.mongodb import MongoDB
from messaging.outages import is_outage
from tests.inventory.catalogue import order, stock, stocked
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")

T = TypeVar("T")

DEADLINE_SECONDS = 60


def ridden_out(call: Callable[[], T]) -> T:
    """Call again for as long as the database is down, as messaging does."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return call()
        except Exception as error:
            if not is_outage(error) or time.monotonic() > deadline:
                raise


def test_a_killed_database_neither_loses_nor_repeats_a_reservation(mongodb: MongoDB) -> None:
    stocked(pen=1_000)
    orders = [order(f"o{n}", pen=1) for n in range(400)]

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ridden_out, [partial(reserve, each) for each in orders])
        eventually(lambda: reservations().count_documents({}) > 50)
        mongodb.kill()
        mongodb.start()
        states = {answer["state"] for answer in answers}

    assert states == {"reserved"}
    assert reservations().count_documents({}) == 400
    assert stock("pen") == (600, 400)
