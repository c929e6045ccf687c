"""What is kept of a person here: their invoices, for as long as the law wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from billing.invoicing import invoices
from messaging.personal_data import of_orders
from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import ANY_PSEUDONYM, SMALLEST_PSEUDONYM, Erased, Holding, Person, hold

LAST_MONTH, LAST_DAY = 12, 31
#: The customer's own words, why they cancelled.
WORDS = {"credit_reason": None}


def export(user_id: int) -> Iterator[dict[str, Any]]:
    yield from invoices().find({"user_id": user_id})


def erase(person: Person) -> Erased:
    """Put the pseudonym into what is not an invoice, or no longer has to be kept."""
    theirs = of_orders(person)
    put = [{"$set": {"user_id": person.pseudonym, **WORDS}}]
    erased = _change(theirs, put)
    left = list(invoices().find(theirs, {"created_at": True}).sort("created_at", -1))
    why = ""
    if left:
        until = kept_until(left[0]["created_at"])
        years = settings.INVOICE_RETENTION_YEARS
        why = f"the law wants invoices for {years} years, these until {until:%Y-%m-%d}"
    return Erased(erased=erased, kept=len(left), why=why)


def forget(before: datetime) -> int:
    """Invoices that the law no longer wants, and what is not an invoice."""
    old: dict[str, Any] = {"user_id": {"$lt": SMALLEST_PSEUDONYM}, "created_at": {"$lt": before}}
    # The record of a lost number is nobody's, and its words say why there is no document.
    old["state"] = {"$ne": "lost"}
    return _change(old, [{"$set": {"user_id": ANY_PSEUDONYM, **WORDS}}])


def _change(found: dict[str, Any], put: list[dict[str, Any]]) -> int:
    """Change what need not be kept; who may not change invoices is refused where there is any."""
    wanted = {"$and": [found, {"$nor": [_kept()]}]}
    if invoices().find_one(wanted, {"_id": True}) is None:
        return 0
    return invoices().update_many(wanted, put).modified_count


def kept_until(issued: datetime) -> datetime:
    """The end of the last year for which an invoice of that time is kept."""
    year = issued.year + settings.INVOICE_RETENTION_YEARS
    return datetime(year, LAST_MONTH, LAST_DAY, tzinfo=issued.tzinfo)


def _kept() -> dict[str, Any]:
    """Finds what the law wants yet."""
    year = mongodb_now().year - settings.INVOICE_RETENTION_YEARS
    since = datetime(max(year, 1), 1, 1, tzinfo=UTC)
    return {"number": {"$type": "string"}, "created_at": {"$gte": since}}


hold(Holding("invoices", "Their invoices and credit notes", export, erase, forget))
