"""The content of a printed invoice or credit note, for both the page and the PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bson import Decimal128
from django.conf import settings

from billing.invoicing import Invoice
from billing.printable_text import lines, one_line
from runtime.money.amounts import grouped, in_words


@dataclass(frozen=True, slots=True)
class Row:
    """One line, ready to be read."""

    sku: str
    quantity: str
    unit_price: str
    amount: str


@dataclass(frozen=True, slots=True)
class PrintableDocument:
    """A document for people; every text is as it is printed, and none is HTML."""

    title: str
    number: str
    #: Who issues it, in one line or several; empty where the shop has not said.
    seller: str
    #: What is said beside the number: [("Date", "31 January 2026"), …].
    facts: list[tuple[str, str]]
    #: What has become of the invoice, or what the credit note is for; empty if there is nothing.
    note: str
    rows: list[Row]
    #: [("Net", "100.00 EUR"), …, ("Total", "119.00 EUR")]; the last is the sum to pay.
    totals: list[tuple[str, str]]


def invoice_document(invoice: Invoice) -> PrintableDocument:
    """The printed form of an invoice, also when it was credited since."""
    note = ""
    if invoice["state"] == "credited":
        note = f"Credited in full on {day(invoice['credited_at'])}; nothing is owed."
    if invoice["credit_note_number"]:
        note += f" Credit note {invoice['credit_note_number']}."
    facts = [("Date", day(invoice["created_at"])), *_order(invoice)]
    return _document(invoice, "Invoice", invoice["number"], facts, note, sign=1)


def credit_note_document(invoice: Invoice) -> PrintableDocument:
    """The printed form of the credit note of an invoice."""
    note = f"Credits invoice {invoice['number']} of {day(invoice['created_at'])} in full."
    if invoice["credit_reason"]:
        note += f" Reason: {invoice['credit_reason']}"
    facts = [("Date", day(invoice["credited_at"])), *_order(invoice)]
    return _document(invoice, "Credit note", invoice["credit_note_number"], facts, note, sign=-1)


def day(at: datetime) -> str:
    """`31 January 2026`, in UTC as the series' year is."""
    return f"{at.day} {at:%B %Y}"


def _document(
    invoice: Invoice, title: str, number: str, facts: list[tuple[str, str]], note: str, sign: int
) -> PrintableDocument:
    rows = [
        Row(
            one_line(line["sku"]),
            f"{line['quantity']:,}",
            grouped(_decimal(line["unit_price"]), invoice["currency"]),
            grouped(sign * _decimal(line["amount"]), invoice["currency"]),
        )
        for line in invoice["items"]
    ]
    return PrintableDocument(
        title,
        number,
        lines(settings.INVOICE_SELLER),
        facts,
        lines(note),
        rows,
        _totals(invoice, sign),
    )


def _order(invoice: Invoice) -> list[tuple[str, str]]:
    return [("Order", one_line(invoice["_id"])), ("Customer", str(invoice["user_id"]))]


def _totals(invoice: Invoice, sign: int) -> list[tuple[str, str]]:
    rate, tax, total = (_decimal(invoice[name]) for name in ("tax_rate_percent", "tax", "total"))
    sums = [("Total", total)]
    if rate:
        sums = [("Net", total - tax), (f"Tax, {rate.normalize():f} %", tax), *sums]
    return [(name, in_words(sign * amount, invoice["currency"])) for name, amount in sums]


def _decimal(stored: Decimal128) -> Decimal:
    return stored.to_decimal()
