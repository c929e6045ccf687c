"""The currencies of ISO 4217, and how many decimals an amount in each has.

Precious metals, the Special Drawing Right and codes for tests have no smallest unit there, so
nothing can be sold in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from iso4217 import raw_table

#: Of amounts in a currency that ISO has withdrawn since, as nearly all of them had.
DECIMALS_OF_OTHERS = 2

#: By code: `{"EUR": 2, "JPY": 0, "KWD": 3, …}`.
DECIMALS: Mapping[str, int] = MappingProxyType(
    {
        code: int(units)
        for code, units in ((code, str(entry["CcyMnrUnts"])) for code, entry in raw_table.items())
        if code and units.isdigit()
    }
)
#: What an amount of any currency can have.
MOST_DECIMALS = max(DECIMALS.values())
_SMALLEST_UNITS = [Decimal(1).scaleb(-decimals) for decimals in range(MOST_DECIMALS + 1)]

WRONG = "must be the code of a currency that has a smallest unit (ISO 4217)"
FIX = "Send three capital letters, for example EUR, USD or JPY."


def decimals_of(currency: str) -> int:
    """How many decimals an amount in this currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return DECIMALS.get(currency, DECIMALS_OF_OTHERS)


def smallest_unit(currency: str) -> Decimal:
    """0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    return _SMALLEST_UNITS[decimals_of(currency)]


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units of the currency, halves up."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_UP)


def example(currency: str) -> str:
    """A price as it is written in this currency: 9.95, 995, 9.950."""
    decimals = decimals_of(currency)
    return f"{'9.95' if decimals else '995'}{'0' * (decimals - 2)}"
