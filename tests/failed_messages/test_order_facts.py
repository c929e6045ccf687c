"""What failed messages are worth: a sum for each currency. In memory."""

from __future__ import annotations

from decimal import Decimal

from failed_messages.records.order_facts import value
from orders.facts_for_desk import Facts


def order(total: str, currency: str) -> Facts:
    return Facts("placed", 1, Decimal(total), currency, {})


def test_currencies_are_never_added_up() -> None:
    orders = [order("4200.50", "EUR"), order("1250", "JPY"), order("1.234", "KWD")]

    assert value([*orders, order("9.5", "EUR")]) == "4,210.00 EUR, 1,250 JPY, 1.234 KWD"


def test_nothing_is_worth_nothing() -> None:
    assert value([]) == ""
