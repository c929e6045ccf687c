"""The stock movements, as an operator sees them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from inventory.models import Movement
from runtime.recorded_admin import RecordedAdmin


class MovementAdmin(RecordedAdmin):
    """Every change of a quantity."""

    list_display = ["at", "sku", "kind", *("available", "reserved", "shipped"), "order_id", "by"]
    fields = list_display
    readonly_fields = fields
    list_display_links = ["at"]
    # Only this sequence has an index.
    ordering = ["-at", "-movement_id"]
    sortable_by = ()
    search_fields = ["sku"]
    search_help_text = "SKU"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Movement], search_term: str
    ) -> tuple[QuerySet[Movement], bool]:
        """Search for whole SKUs: parts of them have no index."""
        return (queryset.filter(sku=search_term) if search_term else queryset), False


def table(movements: Iterable[Movement]) -> SafeString | str:
    """A small table for the page of a product or a reservation."""
    rows = [
        (
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            *(each.sku, each.kind),
            *(f"{units:+d}" if units else "" for units in _units(each)),
            each.order_id or each.by or "",
        )
        for each in movements
    ]
    if not rows:
        return "None."
    heads = ("At (UTC)", "SKU", "Kind", "Available", "Reserved", "Shipped", "Order or user")
    return format_html(
        '<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows)),
    )


def _units(movement: Movement) -> tuple[int, int, int]:
    return movement.available, movement.reserved, movement.shipped


def _cells(row: tuple[str, ...]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((value,) for value in row))
