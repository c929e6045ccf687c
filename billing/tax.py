"""The tax in what customers pay.

Prices are gross: what the catalogue shows and the order's total says is what the customer pays,
tax included, as shops that sell to consumers have to show them (in the EU: Directive 98/6/EC,
articles 2(a) and 3). So the rate never changes what an order costs; it says how much of it is tax.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from billing.order_in_message import PlacedOrder
from runtime.money.currencies import rounded


def tax_of(order: PlacedOrder) -> Decimal:
    """The tax in what the order costs, at today's rate.

    It is computed once, from the total, so that the net and the tax of an invoice add up to it.
    """
    return tax_in(order.total, settings.TAX_RATE_PERCENT, order.currency)


def tax_in(gross: Decimal, rate_percent: Decimal, currency: str) -> Decimal:
    """The tax that a gross amount holds: 19.00 of 119.00 EUR at 19 percent, 19 of 119 JPY.

    In whole smallest units of the currency, halves up.
    """
    return rounded(gross * rate_percent / (100 + rate_percent), currency)
