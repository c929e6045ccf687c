"""The price that a client asks for: an amount and a currency that belong together."""

from __future__ import annotations

from decimal import Decimal

from inventory.product_requests import TITLE
from messaging import currencies
from messaging.price import Price, has_too_many_decimals, told_decimals
from runtime.requests.faults import body_fault
from runtime.requests.refusal import Refusal

AMOUNT_TOO = "Send the price in the new currency, too, as `price`."


def asked_price(amount: str, currency: str) -> Price:
    """The price.

    Args:
        amount: decimal digits, as `product_requests.Amount` has them.

    Raises:
        Refusal: nothing can be sold in the currency, or the amount has more decimals than it.
    """
    if currency not in currencies.DECIMALS:
        detail = f"{currencies.WRONG}, not {currency[:20]!r}"
        raise Refusal(TITLE, [body_fault(("currency",), detail, currencies.FIX)])
    if has_too_many_decimals(amount, currency):
        detail = f"must have no more decimals than {told_decimals(currency)}"
        fix = f'Send an amount like "{currencies.example(currency)}".'
        raise Refusal(TITLE, [body_fault(("price",), detail, fix)])
    return Price(Decimal(amount), currency)


def without_its_price() -> Refusal:
    """A change of the currency alone, which would turn 12.50 EUR into 12.50 JPY."""
    return Refusal(TITLE, [body_fault(("price",), "must be given with a `currency`", AMOUNT_TOO)])
