"""The stock movements, as an operator sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from inventory.models import Movement
from inventory.movements import ids_of_order
from inventory.reserving import products, reservations
from messaging.order_id import canonical
from messaging.order_link import order_link
from runtime.moment import exact
from runtime.page_of_records import PageOfRecords
from runtime.recorded_admin import RecordedAdmin


class MovementAdmin(RecordedAdmin):
    """Every change of a quantity."""

    list_display = ["at", "product", "kind", *("available", "reserved", "shipped"), "order", "by"]
    fields = list_display
    readonly_fields = fields
    list_display_links = ["at"]
    # Only this sequence has an index.
    ordering = ["-at", "-movement_id"]
    sortable_by = ()
    search_fields = ["sku"]
    search_help_text = "SKU or order id"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MovementList

    @admin.display(description="SKU")
    def product(self, movement: Movement) -> SafeString | str:
        ids: dict[str, Any] | None = getattr(movement, "product_ids", None)
        return product_link(movement.sku, ids_of([movement.sku]) if ids is None else ids)

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


class MovementList(PageOfRecords):
    """The page's movements, with the ids of their products."""

    def complete(self, records: list[Any]) -> None:
        ids = ids_of(movement.sku for movement in records)
        for movement in records:
            movement.product_ids = ids


def ids_of(skus: Iterable[str]) -> dict[str, Any]:
    """The ids of these products, by SKU, of those that there are."""
    # What another program wrote has any type.
    named = list({each for each in skus if isinstance(each, str)})
    found = products().find({"sku": {"$in": named}}, {"sku": True})
    return {product["sku"]: product["_id"] for product in found}


def product_link(sku: str, ids: Mapping[str, Any]) -> SafeString | str:
    """The SKU as a link to its product, where there is one."""
    if not isinstance(sku, str) or sku not in ids:
        return sku
    url = reverse("admin:inventory_product_change", args=[ids[sku]])
    return format_html('<a href="{}">{}</a>', url, sku)


def table(movements: Iterable[Movement], ids: Mapping[str, Any] | None = None) -> SafeString | str:
    """A small table for the page of a product or a reservation.

    `ids` are those of the products that it links to, by SKU.
    """
    rows = [
        (
            _page_link(each),
            *(product_link(each.sku, ids or {}), each.kind),
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


def _page_link(movement: Movement) -> SafeString:
    # The admin takes `_40` in an address for `@`, so an id is written as it reads it.
    url = reverse("admin:inventory_movement_change", args=[quote(movement.pk)])
    return format_html('<a href="{}">{}</a>', url, exact(movement.at))


def _units(movement: Movement) -> tuple[int, int, int]:
    return movement.available, movement.reserved, movement.shipped


def _cells(row: tuple[Any, ...]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((value,) for value in row))
