"""Issues many invoices in one transaction, where billing hasn't heard of any of the orders.

An optimisation of `billing.invoicing`, which is the truth: it deals with whatever is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.client_session import ClientSession

from billing.invoicing import Invoice, invoices, issued
from billing.numbering import invoice_series, next_numbers
from billing.order import PlacedOrder
from messaging.transactions import in_transaction


def issue_many(orders: Sequence[PlacedOrder]) -> list[Invoice]:
    """Issue the orders' invoices and return them, in the orders' sequence, as are their numbers.

    Up to some 200 orders, each for the first time. Whatever is raised, all or none were invoiced,
    the numbers have no gap, and invoicing each order by itself is right.

    Raises:
        pymongo.errors.BulkWriteError: billing knows one of the orders, or it is there twice.
        Outage: MongoDB is away or the documents are held, see `messaging.transactions`.
    """

    def issue_all(session: ClientSession) -> list[Invoice]:
        now = datetime.now(UTC)
        numbers = next_numbers(len(orders), invoice_series(now), session)
        issues = [issued(order, number, now) for order, number in zip(orders, numbers, strict=True)]
        invoices().insert_many(issues, session=session)
        return issues

    return in_transaction(issue_all)
