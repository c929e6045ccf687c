"""The stock movements, as an operator sees them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from inventory.models import Movement
from inventory.movements import ids_of_order
from inventory.reserving import reservations
from messaging.order_id import canonical
from messaging.order_link import order_link
from runtime.moment import exact
from runtime.recorded_admin import RecordedAdmin


class MovementAdmin(RecordedAdmin):
    """Every change of a quantity."""

    list_display = ["at", "sku", "kind", *("available", "reserved", "shipped"), "order", "by"]
    fields = list_display
    readonly_fields = fields
    list_display_links = ["at"]
    # Only this sequence has an index.
    ordering = ["-at", "-movement_id"]
    sortable_by = ()
    search_fields = ["sku"]
    search_help_text = "SKU or order id"

    @admin.display(description="order id")
    def order(self, movement: Movement) -> SafeString | str:
        return order_link(movement.order_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Movement], search_term: str
    ) -> tuple[QuerySet[Movement], bool]:
        """Search for whole SKUs and order ids: parts of them have no index."""
        search_term = search_term.strip()
        if not search_term:
            return queryset, False
        order_id = canonical(search_term)
        if reservation := reservations().find_one({"_id": order_id}, {"items.sku": True}):
            ids = ids_of_order(order_id, [line["sku"] for line in reservation["items"]])
            return queryset.filter(pk__in=ids), False
        return queryset.filter(sku=search_term), False


def table(movements: Iterable[Movement]) -> SafeString | str:
    """A small table for the page of a product or a reservation."""
    rows = [
        (
            exact(each.at),
            *(each.sku, each.kind),
            *(f"{units:+d}" if units else "" for units in _units(each)),
            order_link(each.order_id) if each.order_id else each.by or "",
        )
        for each in movements
    ]
    if not rows:
        return "None."
    heads = ("At", "SKU", "Kind", "Available", "Reserved", "Shipped", "Order or user")
    return format_html(
        '<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows)),
    )


def _units(movement: Movement) -> tuple[int, int, int]:
    return movement.available, movement.reserved, movement.shipped


def _cells(row: tuple[Any, ...]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((value,) for value in row))
