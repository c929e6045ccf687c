"""The operator's desk in the admin: read, replay, discard, restore; nothing is edited by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import Truncator

from failed_messages.admin import charts as admin_charts
from failed_messages.admin import message_page
from failed_messages.admin.acts import VERBS, edit_obstacle, lacking
from failed_messages.admin.ago import ago
from failed_messages.admin.confirmation import Acting
from failed_messages.admin.editing import Editing
from failed_messages.admin.jobs import bulk_replay
from failed_messages.admin.list_filters import FILTERS, SEQUENCES, asked, found
from failed_messages.admin.message_page import record_for
from failed_messages.admin.retries import Retrying
from failed_messages.models import FailedMessage, Status
from failed_messages.reading.filters import InvalidFilter
from failed_messages.reading.representation import SUMMARY_FIELDS
from failed_messages.records.order_facts import order_facts
from messaging.order_link import order_link
from runtime.page_of_records import PageOfRecords
from runtime.paginator import CollectionPaginator
from runtime.wrong_filters import refuse

#: How the list opens, and what it says when there is nothing then.
AS_OPENED = {"status": str(Status.FAILED)}
NONE_FAILED = "No message is failed now."


class MessageList(PageOfRecords):
    """The page's messages, with those of their orders that there are."""

    def complete(self, records: list[Any]) -> None:
        known = order_facts(record.order_id for record in records)
        for record in records:
            record.known_orders = known


@admin.register(FailedMessage)
class FailedMessageAdmin(Acting, Editing, Retrying):
    """Machine-written records with an operator's verbs."""

    list_display = ("what", "state", "why", "died", "order", "attempts")
    list_filter = FILTERS
    search_fields = ("order_id",)  # shows the box; get_search_results does the search
    search_help_text = "Order id, message id, user id, or words of the error"
    # The order that has an index behind every filter.
    ordering = ("-last_failed_at", "-id")
    paginator = CollectionPaginator
    change_list_template = "failed_messages/messages.html"
    list_per_page = 50
    list_max_show_all = 50

    # --- the list -------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and not request.GET and self.has_view_permission(request):
            return HttpResponseRedirect(f"?{urlencode(AS_OPENED)}")
        context = {
            "title": "Failed messages",
            **bulk_replay(request),
            "obstacles": lacking(request),
            "nothing": NONE_FAILED if request.GET.dict() == AS_OPENED else "",
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MessageList

    def get_ordering(self, request: HttpRequest) -> Any:
        _, fields = SEQUENCES.get(request.GET.get("sort", ""), ("", self.ordering))
        return fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).only(*SUMMARY_FIELDS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Also called without a search: a filter that cannot be is refused, never left out."""
        try:
            asked(request)
        except InvalidFilter as error:
            refuse(request, error)
            return queryset.none(), False
        return (found(request, queryset) if search_term.strip() else queryset), False

    @admin.display(description="message")
    def what(self, record: FailedMessage) -> str:
        return f"{record.service}: {Truncator(record.type).chars(40) or '(no type)'}"

    @admin.display(description="status")
    def state(self, record: FailedMessage) -> str:
        return format_html(
            '<span class="fm-status fm-{}">{}</span>', record.status, record.get_status_display()
        )

    @admin.display(description="reason and error")
    def why(self, record: FailedMessage) -> str:
        reason = record.get_reason_display()
        words = Truncator(record.message or reason).chars(120)
        return format_html(
            "<strong>{}</strong><br><small>{}</small>",
            words,
            ", ".join(filter(None, (reason, Truncator(record.exception).chars(80)))),
        )

    @admin.display(description="order id")
    def order(self, record: FailedMessage) -> str:
        return order_link(record.order_id, getattr(record, "known_orders", ()))

    @admin.display(description="last failed")
    def died(self, record: FailedMessage) -> str:
        return ago(record.last_failed_at)

    # --- one message ----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        own = [
            path("charts/", site(self.charts_view), name="failed_messages_charts"),
            path("act/<str:verb>/", site(self.act_view), name="failed_messages_act"),
            path("retries/", site(self.retries_view), name="failed_messages_retries"),
            path(
                "retries/<str:retry_id>/<str:verb>/",
                site(self.retry_view),
                name="failed_messages_retry",
            ),
            path("<str:object_id>/edit/", site(self.edit_view), name="failed_messages_edit"),
            path("<str:object_id>/body/", site(self.body_view), name="failed_messages_body"),
        ]
        return own + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one failed message; for reading, in spite of Django's name for it."""
        record = record_for(request, object_id)
        buttons = [
            (verb, verb.obstacle(request, record))
            for verb in VERBS.values()
            if verb.name != "restore" or record.status == verb.from_status
        ]
        return self.page(
            request,
            "detail",
            title=str(record),
            buttons=buttons,
            edit_obstacle=edit_obstacle(request, record),
            **message_page.context(record),
        )

    def body_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The body as it came, to be saved and never shown by the browser."""
        record = record_for(request, object_id)
        return HttpResponse(
            bytes(record.body),
            content_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{record.pk}.body"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    def charts_view(self, request: HttpRequest) -> HttpResponse:
        """Failures over time, by service or by group."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.page(request, "charts", **admin_charts.context(request))
