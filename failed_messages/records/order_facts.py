"""What is known of the orders that failed messages are about.

The desk imports no other app: the site hands it a function at start-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from runtime.batches import in_batches
from runtime.money.amounts import in_words

ORDERS_A_QUERY = 1_000


class OrderFacts(Protocol):
    """One order, as it is now."""

    @property
    def status(self) -> str:
        """`placed`, `confirmed`, `shipped`, `rejected`, `cancelled` …"""

    @property
    def version(self) -> int:
        """How often the order itself has changed, from 1; not what services answered to it."""

    @property
    def total(self) -> Decimal: ...

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def ledger(self) -> Mapping[str, str]:
        """What each service has done about it: `{"inventory": "reserved"}`."""


Source = Callable[[list[str]], Mapping[str, OrderFacts]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Let `source` provide facts about orders: facts by order id, nothing for an id that belongs to
    no order.
    """
    _sources[:] = [source]


def order_facts(order_ids: Iterable[object]) -> dict[str, OrderFacts]:
    """The facts of those orders that are known, by id."""
    ids = sorted({id_ for id_ in order_ids if isinstance(id_, str) and id_})
    facts: dict[str, OrderFacts] = {}
    for source in _sources:
        for some in in_batches(ids, ORDERS_A_QUERY):
            facts.update(source(some))
    return facts


def value(facts: Iterable[OrderFacts]) -> str:
    """What the orders are worth together: `4,210.00 EUR`; empty where none is known."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in facts:
        sums[each.currency] += each.total
    return ", ".join(in_words(total, currency) for currency, total in sorted(sums.items()))
