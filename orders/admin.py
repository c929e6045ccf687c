"""Orders in the admin: what was ordered, and what each service did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.order_id import object_id
from messaging.product_names import names_of
from messaging.service import answering
from messaging.user_link import user_link
from orders import attention
from orders.admin_markup import label, moment, table
from orders.models import Order
from runtime.money.amounts import grouped, in_words
from runtime.named_filter import NamedFilter
from runtime.page_of_records import PageOfRecords
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


class NewestFilter(NamedFilter):
    """Each name stands for some orders, of which the newest are listed."""

    def found(self, name: str) -> list[Any]:
        """The keys of the newest orders that it asks for."""
        raise NotImplementedError

    def named(self, request: HttpRequest, queryset: QuerySet[Model], name: str) -> QuerySet[Model]:
        keys = self.found(name)
        if len(keys) == attention.MOST:
            messages.info(request, f"The newest {attention.MOST:,} of more.")
        return queryset.filter(pk__in=keys)


class NeedsFilter(NewestFilter):
    title = "what an order needs"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, need.label) for name, need in attention.NEEDS.items()]

    def found(self, name: str) -> list[Any]:
        return attention.needing(name)


class WaitsFilter(NewestFilter):
    title = "service that it waits for"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(service.name, service.name) for service in answering()]

    def found(self, name: str) -> list[Any]:
        return attention.waiting_for(name)


class DoneFilter(WaitsFilter):
    title = "service that answered"
    parameter_name = "done"

    def found(self, name: str) -> list[Any]:
        return attention.answered_by(name)


class OrderList(PageOfRecords):
    """The page's orders, each with what it needs."""

    def complete(self, records: list[Any]) -> None:
        marks = attention.marks([str(order.pk) for order in records])
        for order in records:
            order.mark = marks.get(str(order.pk), "")


@admin.register(Order)
class OrderAdmin(RecordedAdmin):
    """Orders: only the API prices one and publishes its events."""

    list_display = ["id", "status_label", *columns(), "user", "created"]
    list_filter = [NeedsFilter, "status", WaitsFilter, DoneFilter]
    ordering = ["-id"]
    # Only these columns have an index to sort by.
    sortable_by = ["id"]
    search_fields = ["id"]
    search_help_text = "Order id or user id"
    show_facets = admin.ShowFacets.NEVER
    paginator = CollectionPaginator
    list_per_page = 50
    fieldsets = [
        (None, {"fields": ["id", "status_label", "user", "lines", "amount", "created"]}),
        ("Ledger", {"fields": ["ledger_table"]}),
        ("Outbox", {"fields": ["outbox", "version", "updated"]}),
    ]

    class Media:
        css = {"all": ["orders/admin.css"]}

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        order: Any = super().get_object(request, object_id, from_field)
        if order is not None:
            order.mark = attention.marks([str(order.pk)]).get(str(order.pk), "")
        return order

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OrderList

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
        mark = getattr(order, "mark", "")
        return format_html("{} {}", label(order.status), label(mark) if mark else "")

    @admin.display(description="user id")
    def user(self, order: Order) -> SafeString | str:
        return user_link(order.user_id)

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
        names = names_of([line.sku for line in order.items])
        rows = [
            (
                line.sku,
                line.quantity,
                grouped(line.unit_price, order.currency),
                grouped(line.quantity * line.unit_price, order.currency),
                names.get(line.sku, "-"),
            )
            for line in order.items
        ]
        return table(("SKU", "Quantity", "Unit price", "Total", "Product"), rows)

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
