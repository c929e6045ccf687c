"""Amounts of money as text: for the API, the pages, the PDFs and the command line alike."""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")


def plain(amount: Decimal) -> str:
    """`12.5` -> `12.50`, for programs; what rounds to nothing has no sign."""
    return f"{amount:z.2f}"


def in_words(amount: Decimal, currency: str = "") -> str:
    """`1234.5` -> `1,234.50 EUR`, for people; with four places where two don't hold it."""
    holds = amount == amount.quantize(CENT)
    number = f"{amount:z,.2f}" if holds else f"{amount:z,.4f}"
    return f"{number} {currency}" if currency else number
