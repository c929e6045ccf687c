"""Issues many invoices in one transaction.

An optimisation of `billing.invoicing`, which is the truth: it handles what is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.client_session import ClientSession

from billing.invoicing import Invoice, invoices, issued, recorded_of
from billing.numbering import invoice_series, next_numbers
from billing.order_in_message import PlacedOrder
from runtime.transactions import in_transaction


def issue_many(orders: Sequence[PlacedOrder]) -> list[Invoice]:
    """Issue the orders' invoices and return them, in the orders' sequence, as are their numbers.

    A few hundred orders. One that billing has dealt with before keeps its invoice. Whatever is
    raised, all or none were invoiced, the numbers have no gap, and invoicing each order by itself
    is right.

    Raises:
        pymongo.errors.BulkWriteError: an order was dealt with meanwhile.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def issue_all(session: ClientSession) -> list[Invoice]:
        answers = recorded_of([order.order_id for order in orders], session)
        # One that is there several times counts once: the first, as one by one.
        first = {each.order_id: each for each in reversed(orders) if each.order_id not in answers}
        if new := [*reversed(first.values())]:
            now = datetime.now(UTC)
            numbers = next_numbers(len(new), invoice_series(now), session)
            issues = [
                issued(order, number, now) for order, number in zip(new, numbers, strict=True)
            ]
            invoices().insert_many(issues, session=session)
            answers |= {invoice["_id"]: invoice for invoice in issues}
        return [answers[order.order_id] for order in orders]

    return in_transaction(issue_all)
