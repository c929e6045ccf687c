"""Invoices, as an operator sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.models import Invoice, InvoiceLine
from messaging.order_id import canonical
from messaging.order_link import order_link
from messaging.product_names import names_of
from messaging.user_link import user_link
from runtime.money.amounts import grouped, in_words
from runtime.recorded_admin import RecordedAdmin
from runtime.requests.number import number_in


def _named(line: InvoiceLine, names: Mapping[str, SafeString]) -> SafeString | str:
    """With the product's name, which leads to it, where there is one."""
    name = names.get(line.sku)
    return format_html("{} ({})", line, name) if name else str(line)


@admin.register(Invoice)
class InvoiceAdmin(RecordedAdmin):
    """Invoices: the numbers have no gaps, and one is credited, never deleted."""

    list_display = ["order_id", "number", "user", "state", "amount", "created_at"]
    list_filter = ["state"]
    fields = [
        *("number", "printable", "order", "user", "state", "lines"),
        *("amount", "tax_in_it", "tax_rate_percent", "currency", "created_at"),
        *("credited_at", "credit_note_number", "credit_reason"),
    ]
    readonly_fields = fields
    search_fields = ["order_id"]
    search_help_text = "Order id, number of an invoice or credit note, or user id"

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        return super().get_object(request, canonical(object_id), from_field)

    @admin.display(description="order")
    def order(self, invoice: Invoice) -> SafeString | str:
        return order_link(invoice.order_id)

    @admin.display(description="user id")
    def user(self, invoice: Invoice) -> SafeString | str:
        return user_link(invoice.user_id)

    @admin.display(description="lines")
    def lines(self, invoice: Invoice) -> SafeString:
        """One row a line: `2 x pen (Fountain pen) at 12.50: 25.00`."""
        names = names_of([line.sku for line in invoice.items])
        rows = (
            (
                _named(line, names),
                *(grouped(each, invoice.currency) for each in (line.unit_price, line.amount)),
            )
            for line in invoice.items
        )
        return format_html_join("", "<div>{} at {}: {}</div>", rows)

    @admin.display(description="total", ordering="total")
    def amount(self, invoice: Invoice) -> str:
        return in_words(invoice.total, invoice.currency)

    @admin.display(description="tax")
    def tax_in_it(self, invoice: Invoice) -> str:
        return in_words(invoice.tax, invoice.currency)

    @admin.display(description="to print")
    def printable(self, invoice: Invoice) -> SafeString | str:
        """The pages and PDFs of the invoice and of its credit note."""
        numbers = {"invoice": invoice.number, "credit-note": invoice.credit_note_number}
        links = [
            (reverse(name, args=[invoice.order_id]), name.replace("-", " ").capitalize(), number)
            for name, number in numbers.items()
            # An order id of a foreign publisher may fit into no address.
            if number and "/" not in invoice.order_id
        ]
        if invoice.state == Invoice.State.LOST:
            return "It is lost: it was issued after the backup that was restored."
        if not links:
            return "Nothing was issued."
        return format_html_join(
            "", '<div><a href="{0}">{1} {2}</a> · <a href="{0}.pdf">PDF</a></div>', links
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str
    ) -> tuple[QuerySet[Invoice], bool]:
        """Search for whole ids and numbers: parts of them have no index."""
        search_term = search_term.strip()
        if not search_term:
            return queryset, False
        wanted = Q(order_id=canonical(search_term)) | Q(number=search_term)
        wanted |= Q(credit_note_number=search_term)
        if (user_id := number_in(search_term)) is not None:
            wanted |= Q(user_id=user_id)
        return queryset.filter(wanted), False
