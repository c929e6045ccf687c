"""Reservations in the admin, to view and to ship."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from inventory.admin.movements import ids_of, product_link, table
from inventory.models import Movement, Reservation
from inventory.movements import ids_of_order
from inventory.permissions import SHIP
from inventory.refusals import NotDone, Refusal
from inventory.shipping import send
from messaging.order_id import canonical
from messaging.order_link import order_link
from messaging.user_link import user_link
from runtime.page_of_records import PageOfRecords
from runtime.recorded_admin import RecordedAdmin
from runtime.requests.number import number_in


class ReservationList(PageOfRecords):
    """The page's reservations, with the ids of their products."""

    def complete(self, records: list[Any]) -> None:
        find_products(records)


def find_products(reservations: list[Any]) -> None:
    """Add to each reservation the ids of the products that any of them names, by SKU."""
    ids = ids_of(sku for each in reservations for sku in skus_of(each))
    for each in reservations:
        each.product_ids = ids


def skus_of(reservation: Reservation) -> list[str]:
    """Of its lines and of what it was short of."""
    try:
        return [each.sku for each in (*reservation.items, *reservation.shortages)]
    except (AttributeError, TypeError):
        # Another program's; its own cell says that it cannot be read.
        return []


class ReservationAdmin(RecordedAdmin):
    """Reservations can be read and shipped."""

    list_display = ["order_id", "user", "state", "lines", "short_of", "created_at"]
    list_filter = ["state"]
    fields = [
        "order",
        *list_display[1:],
        "released_at",
        "shipped_at",
        "shipped_anyway",
        "movements",
    ]
    readonly_fields = fields
    search_fields = ["order_id"]
    search_help_text = "Order id or user id"
    actions = ["ship_selected"]

    def has_ship_permission(self, request: HttpRequest) -> bool:
        """Whether this user may send goods off."""
        return request.user.has_perm(SHIP)

    @admin.action(description="Ship the selected reservations", permissions=["ship"])
    def ship_selected(
        self, request: HttpRequest, queryset: QuerySet[Reservation]
    ) -> HttpResponse | None:
        """Ship each that can be shipped, and say which was before, or could not be and why.

        Where another service failed for some, or has not answered, a page asks for a reason first.
        """
        is_again = "anyway" in request.POST
        reason = request.POST.get("reason", "").strip() if is_again else ""
        shipped, refused = 0, []
        for order_id in queryset.values_list("order_id", flat=True):
            try:
                by = request.user.get_username()
                shipment = send(order_id, by, anyway=reason, is_hasty=False)
            except NotDone as not_done:
                refused.append(not_done)
                continue
            except Refusal as refusal:
                self.message_user(request, str(refusal.detail), messages.ERROR)
                continue
            if shipment.is_repeated:
                self.message_user(request, shipment.said, messages.WARNING)
            else:
                shipped += 1
        if shipped:
            self.message_user(request, f"Shipped: {shipped}.", messages.SUCCESS)
        if not refused:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Ship anyway?",
            "refused": [(each, order_link(each.order_id)) for each in refused],
            "error": "Say why." if is_again else "",
        }
        return TemplateResponse(request, "inventory/ship_anyway.html", context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReservationList

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        found = super().get_object(request, canonical(object_id), from_field)
        if found:
            find_products([found])
        return found

    @admin.display(description="lines")
    def lines(self, reservation: Any) -> SafeString:
        """`2 x pen, 1 x book`."""
        lines = (
            (line.quantity, product_link(line.sku, reservation.product_ids))
            for line in reservation.items
        )
        return format_html_join(", ", "{} x {}", lines)

    @admin.display(description="short of")
    def short_of(self, reservation: Any) -> SafeString:
        """`pen (2 asked, 1 available)`."""
        shortages = (
            (product_link(each.sku, reservation.product_ids), each.asked, each.available)
            for each in reservation.shortages
        )
        return format_html_join(", ", "{} ({} asked, {} available)", shortages)

    @admin.display(description="stock movements")
    def movements(self, reservation: Any) -> SafeString | str:
        """What it moved; each movement's id is known from the order's lines."""
        skus = [line.sku for line in reservation.items]
        ids = ids_of_order(reservation.order_id, skus)
        found = Movement.objects.filter(movement_id__in=ids).order_by("at")
        return table(found, reservation.product_ids)

    @admin.display(description="order")
    def order(self, reservation: Reservation) -> SafeString | str:
        return order_link(reservation.order_id)

    @admin.display(description="user id")
    def user(self, reservation: Reservation) -> SafeString | str:
        return user_link(reservation.user_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Reservation], search_term: str
    ) -> tuple[QuerySet[Reservation], bool]:
        """Search for whole ids: parts of them have no index."""
        search_term = search_term.strip()
        if not search_term:
            return queryset, False
        wanted = Q(order_id=canonical(search_term))
        if (user_id := number_in(search_term)) is not None:
            wanted |= Q(user_id=user_id)
        return queryset.filter(wanted), False
