"""Numbers of invoices and credit notes that were lost with a restore: issued after the backup.

A customer may still have the document, so its number is not used again, and its series has no
gap: a document that is known is issued again as it was, and every other number has a record that
says that it is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson import Decimal128
from django.conf import settings
from django.db import connection
from pymongo.client_session import ClientSession

from billing.invoicing import Invoice, invoices, issued
from billing.numbering import CREDIT_NOTE, NUMBER, NUMBER_IN_MONGODB
from billing.order_in_message import read_placed
from runtime.money.amounts import stored
from runtime.money.currencies import rounded

#: More than so many lost numbers are a mistake in the given number.
MOST_LOST = 100_000
WITHHELD_AT_ONCE = 2_000

#: Where a document has its numbers.
FIELDS = ("number", "credit_note_number")


def parts(number: str) -> tuple[str, int]:
    """`2026-000123` -> `2026`, 123; `C2026-000123` -> `C2026`, 123.

    Raises:
        ValueError: it is a number neither of an invoice nor of a credit note.
    """
    found = NUMBER.match(number)
    if found is None:
        raise ValueError(
            f"{number[:40]!r} is not a number of an invoice, like 2026-000123, or of a credit "
            "note, like C2026-000123"
        )
    return found["series"], int(found["count"])


def invoice_number(number: str) -> str:
    """The number as it is; raises ValueError: it is not one of an invoice."""
    found = NUMBER.match(number)
    if found is None or number.startswith(CREDIT_NOTE):
        raise ValueError(f"{number[:40]!r} is not a number of an invoice, like 2026-000123")
    return number


def credit_note_number(number: str) -> str:
    """The number as it is; raises ValueError: it is not one of a credit note."""
    found = NUMBER.match(number)
    if found is None or not number.startswith(CREDIT_NOTE):
        raise ValueError(f"{number[:40]!r} is not a number of a credit note, like C2026-000123")
    return number


def last(series: str) -> int:
    """The last number that the series has given out."""
    counter = counters().find_one({"_id": series})
    return int(counter["last"]) if counter else 0


def steps(up_to: str) -> list[str]:
    """The numbers up to which to withhold, one after another: each is a transaction in time."""
    series, count = parts(up_to)
    between = range(last(series) + WITHHELD_AT_ONCE, count, WITHHELD_AT_ONCE)
    return [*(f"{series}-{n:06d}" for n in between), up_to]


def issued_beyond() -> list[str]:
    """Of each series the highest number that a document has though the series is not so far yet.

    So it is where the series and the documents were not copied at the same moment.
    """
    numbers = []
    for field in FIELDS:
        count = {"$toInt": {"$arrayElemAt": [{"$split": [f"${field}", "-"]}, 1]}}
        series = {"$arrayElemAt": [{"$split": [f"${field}", "-"]}, 0]}
        highest: list[dict[str, Any]] = [
            {"$match": {field: {"$regex": NUMBER_IN_MONGODB}}},
            {"$group": {"_id": series, "highest": {"$max": count}}},
        ]
        for each in invoices().aggregate(highest):
            if each["highest"] > last(each["_id"]):
                numbers.append(f"{each['_id']}-{each['highest']:06d}")
    return sorted(numbers)


def withhold(up_to: str, session: ClientSession) -> list[str]:
    """Issue no number up to this one again: those that no document has are recorded as lost.

    Returns: the lost ones.

    Raises:
        ValueError: they are more than `MOST_LOST`.
    """
    series, count = parts(up_to)
    counter = counters().find_one({"_id": series}, session=session) or {"last": 0}
    check_distance(up_to, int(counter["last"]))
    numbers = [f"{series}-{n:06d}" for n in range(int(counter["last"]) + 1, count + 1)]
    if not numbers:
        return []
    counters().update_one({"_id": series}, {"$set": {"last": count}}, upsert=True, session=session)
    there = {
        each[field_of(series)]
        for each in invoices().find({field_of(series): {"$in": numbers}}, session=session)
    }
    if missing := [number for number in numbers if number not in there]:
        invoices().insert_many([_lost(number) for number in missing], session=session)
    return missing


def lost(numbers: Collection[str]) -> set[str]:
    """Those of the numbers that are recorded as lost.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    found: set[str] = set()
    for field in FIELDS:
        wanted = {"state": "lost", field: {"$in": [*numbers]}}
        found |= {each[field] for each in invoices().find(wanted, {field: 1})}
    return found


def field_of(number: str) -> str:
    """The field of an invoice that holds such a number."""
    return "credit_note_number" if number.startswith(CREDIT_NOTE) else "number"


def check_distance(number: str, last_known: int) -> None:
    """Raises ValueError: so many invoices were not issued since the backup."""
    beyond = parts(number)[1] - last_known
    if beyond > MOST_LOST:
        raise ValueError(
            f"{number} is {beyond:,} numbers above the last one that the database knows, "
            f"{last_known:06d}; {MOST_LOST:,} are the most that are withheld at once"
        )


def issue_again(order: dict[str, Any], number: str, at: datetime, session: ClientSession) -> bool:
    """Issue the invoice that this order had, with the number that it had.

    With the tax rate of today: `other_rate` says whether it may have been another one.

    Args:
        order: the body of its `order.placed`.
        at: when it was issued.

    Returns: False if another order has the number.

    Raises:
        ValueError: the number is so high that it was never issued.
        InvalidMessage: an invoice cannot be made of such an order.
    """
    withhold(number, session)
    placed = read_placed(order)
    taken = invoices().find_one({"number": number}, session=session)
    if taken is None or taken["state"] != "lost":
        return False
    invoices().delete_one({"_id": taken["_id"]}, session=session)
    invoices().insert_one(issued(placed, number, at), session=session)
    return True


def credit_again(
    order_id: str, number: str, reason: str | None, at: datetime, session: ClientSession
) -> bool:
    """Credit the order's invoice with the number of the credit note that it had, at that time.

    Returns False if another order's credit note has the number, or nothing is to be credited.

    Raises:
        ValueError: the number is so high that it was never issued.
    """
    withhold(number, session)
    taken = invoices().find_one({"credit_note_number": number}, session=session)
    owed = {"_id": order_id, "state": "issued"}
    if taken is None or taken["state"] != "lost" or not invoices().find_one(owed, session=session):
        return False
    credited = {
        "state": "credited",
        "credited_at": at,
        "credit_note_number": number,
        "credit_reason": reason,
    }
    invoices().delete_one({"_id": taken["_id"]}, session=session)
    invoices().update_one(owed, {"$set": credited}, session=session)
    return True


def other_rate(number: str, session: ClientSession) -> Decimal | None:
    """The tax rate of the invoice before this number in its series, in percent, where that is not
    today's; else None.
    """
    series, _ = parts(number)
    before = {"number": {"$gt": series, "$lt": number}, "state": {"$in": ["issued", "credited"]}}
    known = invoices().find_one(before, sort=[("number", -1)], session=session)
    if known is None or not isinstance(known["tax_rate_percent"], Decimal128):
        return None
    rate = known["tax_rate_percent"].to_decimal()
    return None if rate == settings.TAX_RATE_PERCENT else rate


def _lost(number: str) -> Invoice:
    nothing, now = stored(rounded(Decimal(), settings.CURRENCY)), datetime.now(UTC)
    return {
        "_id": f"lost:{number}",
        "number": None,
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
        "credit_reason": "Issued after the backup that was restored; the document is lost.",
        field_of(number): number,
    }


def counters() -> Any:
    return connection.database["invoice_counters"]
