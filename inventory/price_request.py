"""The price that a client asks for: an amount and a currency that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from inventory.product_requests import TITLE
from runtime.money import currencies
from runtime.money.price import Price, has_too_many_decimals, told_decimals
from runtime.requests.faults import body_fault
from runtime.requests.refusal import Fault, Refusal

#: A change of the currency alone would turn 12.50 EUR into 12.50 JPY.
WITHOUT_ITS_PRICE = body_fault(
    ("price",),
    "must be given with a `currency`",
    "Send the price in the new currency, too, as `price`.",
)


def asked_price(amount: str, currency: str) -> Price:
    """The price.

    Args:
        amount: decimal digits, as `product_requests.Amount` has them.

    Raises:
        Refusal: nothing can be sold in the currency, or the amount has more decimals than it.
    """
    if faults := price_faults({"price": amount, "currency": currency}, ""):
        raise Refusal(TITLE, faults)
    return Price(Decimal(amount), currency)


def price_faults(fields: Mapping[str, str | None], usual: str | None) -> list[Fault]:
    """What is wrong with `price` and `currency`, if they are among the fields.

    Args:
        fields: by name; one that is None is known to be wrong, so nothing is said of the other.
        usual: the currency where they have none; None: it is not known.
    """
    amount, currency = fields.get("price"), fields.get("currency", usual)
    if currency is None:
        return []
    if "price" not in fields:
        return [WITHOUT_ITS_PRICE] if "currency" in fields else []
    if currency not in currencies.DECIMALS:
        detail = f"{currencies.WRONG}, not {currency[:20]!r}"
        return [body_fault(("currency",), detail, currencies.FIX)]
    if amount is not None and has_too_many_decimals(amount, currency):
        detail = f"must have no more decimals than {told_decimals(currency)}"
        fix = f'Send an amount like "{currencies.example(currency)}".'
        return [body_fault(("price",), detail, fix)]
    return []


def without_its_price() -> Refusal:
    return Refusal(TITLE, [WITHOUT_ITS_PRICE])
