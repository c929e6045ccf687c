"""The audit log in the admin: for reading."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import AuditEntry, Subject
from failed_messages.records.order_facts import order_facts
from messaging.order_link import order_link
from runtime.moment import exact, for_people

PAGES = {
    Subject.MESSAGE: "admin:failed_messages_failedmessage_change",
    Subject.GROUP: "admin:failed_messages_failuregroup_change",
    Subject.JOB: "admin:failed_messages_replayjob_change",
    Subject.DISCARD_JOB: "admin:failed_messages_discardjob_change",
    Subject.KEY: "admin:access_apikey_change",
    Subject.ORDER: "admin:orders_order_change",
}


@admin.register(AuditEntry)
class AuditEntryAdmin(DeskAdmin):
    """Who did what, when and why; newest first."""

    view_permission = "view_auditentry"

    list_display = ("when", "by", "act", "about", "why", "was", "became")
    list_display_links = ("when",)
    list_filter = ("subject",)
    search_fields = ("subject_id",)  # shows the box; get_search_results does the search
    search_help_text = "The id of a message, group or job, or the name of who acted"
    list_per_page = 50
    list_max_show_all = 50
    actions = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        words = search_term.strip()
        if not words:
            return queryset, False
        named = queryset.filter(subject_id=words)
        return (named if named.exists() else queryset.filter(by=words)), False

    @admin.display(description="when")
    def when(self, entry: AuditEntry) -> str:
        return exact(entry.at)

    @admin.display(description="about")
    def about(self, entry: AuditEntry) -> str:
        if entry.subject == Subject.RETRY:
            order_id = entry.subject_id.rpartition("-")[0]
            order = order_link(order_id, order_facts([order_id]))
            return format_html("{} of order {}", entry.subject, order)
        try:
            url = reverse(PAGES[Subject(entry.subject)], args=[entry.subject_id])
        except (KeyError, ValueError, NoReverseMatch):
            return f"{entry.subject} {entry.subject_id}"
        return format_html('{} <a href="{}">{}</a>', entry.subject, url, entry.subject_id)

    @admin.display(description="why")
    def why(self, entry: AuditEntry) -> str:
        return Truncator(entry.reason).chars(200)

    @admin.display(description="before")
    def was(self, entry: AuditEntry) -> str:
        return _pairs(entry.before)

    @admin.display(description="after")
    def became(self, entry: AuditEntry) -> str:
        return _pairs(entry.after)


def _pairs(stored: str) -> str:
    pairs = (f"{name}: {for_people(str(value))}" for name, value in json.loads(stored).items())
    return Truncator("; ".join(pairs)).chars(200) or "-"
