"""Numbers of invoices that were lost with a restore: issued after the backup.

A customer may still have such an invoice, so its number is not used again, and its series has no
gap: an invoice that is known is issued again as it was, and every other number has a record that
says that it is lost.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from pymongo.client_session import ClientSession

from billing.invoicing import Invoice, invoices, issued
from billing.order import read_placed
from runtime.money.amounts import stored
from runtime.money.currencies import rounded

#: More than so many lost numbers are a mistake in the given number.
MOST_LOST = 100_000
WITHHELD_AT_ONCE = 2_000

NUMBER = re.compile(r"\A(?P<series>[0-9]{4})-(?P<count>[0-9]{6,9})\Z")


def parts(number: str) -> tuple[str, int]:
    """`2026-000123` -> `2026`, 123.

    Raises:
        ValueError: it is not a number of an invoice.
    """
    found = NUMBER.match(number)
    if found is None:
        raise ValueError(f"{number[:40]!r} is not a number of an invoice, like 2026-000123")
    return found["series"], int(found["count"])


def last(series: str) -> int:
    """The last number that the series has given out."""
    counter = counters().find_one({"_id": series})
    return int(counter["last"]) if counter else 0


def steps(up_to: str) -> list[str]:
    """The numbers up to which to withhold, one after another: each is a transaction in time."""
    series, count = parts(up_to)
    between = range(last(series) + WITHHELD_AT_ONCE, count, WITHHELD_AT_ONCE)
    return [*(f"{series}-{n:06d}" for n in between), up_to]


def withhold(up_to: str, session: ClientSession) -> list[str]:
    """Issue no number up to this one again: those that were not issued are recorded as lost.

    Returns: the lost ones.

    Raises:
        ValueError: they are more than `MOST_LOST`.
    """
    series, count = parts(up_to)
    counter = counters().find_one({"_id": series}, session=session) or {"last": 0}
    check_distance(up_to, int(counter["last"]))
    numbers = [f"{series}-{n:06d}" for n in range(int(counter["last"]) + 1, count + 1)]
    if numbers:
        counters().update_one(
            {"_id": series}, {"$set": {"last": count}}, upsert=True, session=session
        )
        invoices().insert_many([_lost(number) for number in numbers], session=session)
    return numbers


def check_distance(number: str, last_known: int) -> None:
    """Raises ValueError: so many invoices were not issued since the backup."""
    lost = parts(number)[1] - last_known
    if lost > MOST_LOST:
        raise ValueError(
            f"{number} is {lost:,} numbers above the last one that the database knows, "
            f"{last_known:06d}; {MOST_LOST:,} are the most that are withheld at once"
        )


def issue_again(order: dict[str, Any], number: str, session: ClientSession) -> bool:
    """Issue the invoice that this order had, with the number that it had.

    `order` is the body of its `order.placed`. Returns False if another order has the number.
    """
    withhold(number, session)
    placed = read_placed(order)
    taken = invoices().find_one({"number": number}, session=session)
    if taken is None or taken["state"] != "lost":
        return False
    invoices().delete_one({"_id": taken["_id"]}, session=session)
    invoices().insert_one(issued(placed, number, datetime.now(UTC)), session=session)
    return True


def _lost(number: str) -> Invoice:
    nothing, now = stored(rounded(Decimal(), settings.CURRENCY)), datetime.now(UTC)
    return {
        "_id": f"lost:{number}",
        "number": number,
        "user_id": 0,
        "items": [],
        "total": nothing,
        "tax_rate_percent": stored(Decimal("0.00")),
        "tax": nothing,
        "currency": settings.CURRENCY,
        "state": "lost",
        "created_at": now,
        "credited_at": None,
        "credit_note_number": None,
        "credit_reason": "Issued after the backup that was restored; its invoice is lost.",
    }


def counters() -> Any:
    return connection.database["invoice_counters"]
