"""Orders in the admin: what was ordered, and what each service did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from messaging.money import in_words
from messaging.order_id import object_id
from messaging.service import answering
from orders.markup import label, moment, table
from orders.models import Order
from runtime.paginator import CollectionPaginator
from runtime.recorded_admin import RecordedAdmin
from runtime.requests.number import number_in


def columns() -> list[Callable[[Order], SafeString | str]]:
    """What each service has done about the order, a column each."""

    def column(service: str) -> Callable[[Order], SafeString | str]:
        @admin.display(description=service)
        def state(order: Order) -> SafeString | str:
            entry = order.ledger.get(service)
            return label(entry["state"]) if entry else "-"

        return state

    return [column(service.name) for service in answering()]


@admin.register(Order)
class OrderAdmin(RecordedAdmin):
    """Orders: only the API prices one and publishes its events."""

    list_display = ["id", "status_label", *columns(), "user_id", "created"]
    list_filter = ["status"]
    ordering = ["-id"]
    # Only these columns have an index to sort by.
    sortable_by = ["id"]
    search_fields = ["id"]
    search_help_text = "Order id or user id"
    show_facets = admin.ShowFacets.NEVER
    paginator = CollectionPaginator
    list_per_page = 50
    fieldsets = [
        (None, {"fields": ["id", "status_label", "user_id", "lines", "amount", "created"]}),
        ("Ledger", {"fields": ["ledger_table"]}),
        ("Outbox", {"fields": ["outbox", "version", "updated"]}),
    ]

    class Media:
        css = {"all": ["orders/admin.css"]}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Search for whole ids: parts of them have no index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if key := object_id(term):
            return queryset.filter(pk=key), False
        if (user_id := number_in(term)) is not None:
            return queryset.filter(user_id=user_id), False
        return queryset.none(), False

    @admin.display(description="status")
    def status_label(self, order: Order) -> SafeString:
        return label(order.status)

    @admin.display(description="total")
    def amount(self, order: Order) -> str:
        return in_words(order.total, order.currency)

    @admin.display
    def created(self, order: Order) -> str:
        return moment(order.created_at)

    @admin.display
    def updated(self, order: Order) -> str:
        return moment(order.updated_at)

    @admin.display
    def lines(self, order: Order) -> SafeString:
        rows = [(line.sku, line.quantity, in_words(line.unit_price)) for line in order.items]
        return table(("SKU", "Quantity", "Unit price"), rows)

    @admin.display(description="services")
    def ledger_table(self, order: Order) -> SafeString:
        rows = [row(service, entry) for service, entry in order.ledger.items()]
        return table(("Service", "State", "Heard at", "Detail"), rows)

    @admin.display(description="pending events")
    def outbox(self, order: Order) -> SafeString | str:
        if not order.pending_events:
            return "None: RabbitMQ has confirmed every event."
        rows = [(event.type, moment(event.at)) for event in order.pending_events]
        return table(("Not yet published", "Since"), rows)


def row(service: str, entry: dict[str, Any]) -> tuple[Any, ...]:
    """One service's line of the ledger."""
    return service, label(entry["state"]), moment(entry["at"]), entry["detail"] or "-"
