"""The log of deliveries, and sending one again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.order_id import canonical
from messaging.order_link import order_link
from runtime.mongodb_clock import mongodb_now
from runtime.recorded_admin import RecordedAdmin
from webhooks.models import Delivery
from webhooks.sending_again import send_again
from webhooks.store import deliveries, endpoints

#: What is sent again within it is a second click.
A_MOMENT = timedelta(seconds=10)

OFF = "This site sends no webhooks. Its operator turns them on with WEBHOOKS=true."


class DeliveryAdmin(RecordedAdmin):
    """What was sent, when, and what was answered."""

    list_display = ["type", "order", "its_endpoint", "state", "tries", "created_at", "settled_at"]
    list_filter = ["state"]
    fields = [
        *("type", "order", "its_endpoint", "message_id", "state", "tries"),
        *("created_at", "due_at", "settled_at", "body", "log"),
    ]
    readonly_fields = fields
    search_fields = ["order_id"]
    search_help_text = "Order id, endpoint id or webhook-id"
    sortable_by = ()
    actions = ["send_again"]

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_endpoint")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Search for whole ids, as parts of them have no index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(order_id=canonical(term)) | Q(endpoint=term.lower()) | Q(message_id=term)
        return queryset.filter(wanted), False

    @admin.action(description="Send the selected deliveries again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        if not settings.WEBHOOKS:
            self.message_user(request, OFF, messages.ERROR)
            return
        ids = list(queryset.values_list("pk", flat=True))
        sent = 0
        now = mongodb_now()
        for stored in deliveries().find({"_id": {"$in": ids}}):
            what = f"{stored['type']} {stored['order_id']}"
            if not endpoints().find_one({"_id": stored["endpoint"], "state": "enabled"}):
                why = f"{what}: its endpoint is disabled. Enable it first."
                self.message_user(request, why, messages.ERROR)
            elif was_a_moment_ago(stored["due_at"], now) or was_a_moment_ago(
                stored.get("asked_again_at"), now
            ):
                why = f"{what} is being sent, or was a moment ago, so it is not sent once more."
                self.message_user(request, why, messages.WARNING)
            else:
                send_again(stored)
                sent += 1
        if sent:
            self.message_user(request, f"Sent again: {sent}.", messages.SUCCESS)

    @admin.display(description="order")
    def order(self, delivery: Delivery) -> SafeString | str:
        return order_link(delivery.order_id) if delivery.order_id else "none, it is a test"

    @admin.display(description="endpoint")
    def its_endpoint(self, delivery: Delivery) -> SafeString:
        page = reverse("admin:webhooks_endpoint_change", args=[delivery.endpoint])
        return format_html('<a href="{}">{}</a>', page, delivery.endpoint)

    @admin.display(description="attempts")
    def log(self, delivery: Delivery) -> Any:
        """Each attempt with its request's header fields and the answer, the last one first."""
        if not delivery.attempts:
            return "none yet"
        rows = ((str(each), each.headers) for each in reversed(delivery.attempts))
        return format_html_join("", "<div>{}<br><code>{}</code></div>", rows)


def was_a_moment_ago(at: datetime | None, now: datetime) -> bool:
    return at is not None and timedelta(0) <= now - at < A_MOMENT
