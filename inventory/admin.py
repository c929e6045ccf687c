"""The catalogue and what is promised from it, as an operator sees them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from inventory.models import Product, Reservation


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """Stock is set when a product is added; afterwards only orders move it."""

    list_display = ["sku", "name", "price", "currency", "available", "reserved"]
    fields = ["sku", "name", "price", "currency", "available", "reserved"]
    readonly_fields = ["currency", "reserved"]
    search_fields = ["sku", "name"]
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """A SKU that orders know stays what it is."""
        fixed = ["sku", "available"] if obj else []
        return [*fixed, *self.readonly_fields]

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """Write what the form can change, since orders move the stock meanwhile."""
        obj.save(update_fields=["name", "price"] if change else None)

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Reservations and orders under way refer to it."""
        return False


@admin.register(Reservation)
class ReservationAdmin(admin.ModelAdmin):
    """Written by the inventory service alone."""

    list_display = ["order_id", "user_id", "state", "lines", "short_of", "created_at"]
    list_filter = ["state"]
    fields = ["order_id", "user_id", "state", "lines", "short_of", "created_at"]
    readonly_fields = fields
    search_fields = ["order_id"]
    search_help_text = "Order id or user id"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A reservation without its stock would break the books."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reservation | None = None) -> bool:
        """What was promised is on its way to other services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reservation | None = None) -> bool:
        """It is what keeps an order that comes twice from reserving twice."""
        return False

    @admin.display(description="lines")
    def lines(self, reservation: Reservation) -> str:
        """`2 x pen, 1 x book`."""
        return ", ".join(map(str, reservation.items))

    @admin.display(description="short of")
    def short_of(self, reservation: Reservation) -> str:
        """`pen (2 asked, 1 available)`."""
        return ", ".join(map(str, reservation.shortages))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Reservation], search_term: str
    ) -> tuple[QuerySet[Reservation], bool]:
        """Look for whole ids, as parts of them have no index."""
        if not search_term:
            return queryset, False
        wanted = Q(order_id=search_term)
        if search_term.isdecimal():
            wanted |= Q(user_id=search_term)
        return queryset.filter(wanted), False
