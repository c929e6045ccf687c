"""Takes what services only note, and answer with no event, out of what orders await."""

from __future__ import annotations

from datetime import datetime

from messaging.noted_events import noted_by, notes
from messaging.service import Service, answering
from orders import unanswered
from runtime.mongodb_clock import EPOCH

ORDERS_AT_ONCE = 2_000
#: Of one type of event, in one run.
MOST_ORDERS = 20_000


class AwaitedNotes:
    """Goes through the orders that await such a note, again and again.

    Each run goes on where the last one stopped, so that those that wait for long hide no other.
    """

    def __init__(self) -> None:
        #: Since when the next one has waited, by what it waits for.
        self._next: dict[tuple[str, str], datetime] = {}

    def take_out(self) -> int:
        """Take what was noted out of what is awaited; the scheduler runs this.

        Returns: how much it was.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        return sum(
            self._of_type(service, on.type)
            for service in answering()
            if service.notes
            for on in noted_by(service)
        )

    def _of_type(self, service: Service, type_: str) -> int:
        taken = 0
        for _ in range(MOST_ORDERS // ORDERS_AT_ONCE):
            since = self._next.get((service.name, type_), EPOCH)
            waiting = unanswered.waiting(service.name, type_, since, ORDERS_AT_ONCE)
            taken += self._noted_of(service, type_, [order_id for order_id, _ in waiting])
            if len(waiting) < ORDERS_AT_ONCE:
                self._next.pop((service.name, type_), None)
                break
            self._next[service.name, type_] = waiting[-1][1]
        return taken

    def _noted_of(self, service: Service, type_: str, order_ids: list[str]) -> int:
        noted = notes(service).noted(type_, order_ids) if order_ids else set()
        if noted:
            unanswered.settle_noted(service.name, type_, noted)
        return len(noted)
