"""The operator's desk in the admin: look, replay, discard, restore; nothing is edited by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from failed_messages import admin_charts, admin_detail
from failed_messages.admin_acts import SELECTION_LIMIT, VERBS, Verb, edit_obstacle, selection
from failed_messages.admin_audit import AuditEntryAdmin
from failed_messages.admin_groups import FailureGroupAdmin
from failed_messages.admin_jobs import ReplayJobAdmin, bulk_replay_url
from failed_messages.admin_list import FILTERS, IndexedPaginator, found
from failed_messages.admin_policies import ReplayPolicyAdmin
from failed_messages.description import SUMMARY_FIELDS
from failed_messages.editing import InvalidEdit, check, diff, edit_and_replay, editable
from failed_messages.filters import Filter
from failed_messages.models import FailedMessage
from failed_messages.preview import preview_of
from failed_messages.verdict import ReasonMissing, Verdict, record_id

__all__ = [
    "AuditEntryAdmin",
    "FailedMessageAdmin",
    "FailureGroupAdmin",
    "ReplayJobAdmin",
    "ReplayPolicyAdmin",
]

#: More verdicts than these are summed up in one line.
VERDICTS_SHOWN = 10


@admin.register(FailedMessage)
class FailedMessageAdmin(admin.ModelAdmin):
    """Machine-written records with an operator's verbs."""

    list_display = ("what", "state", "why", "died", "order_id", "attempts")
    list_filter = FILTERS
    search_fields = ("order_id",)  # shows the box; get_search_results does the search
    search_help_text = "Order id, message id, user id, or words of the error"
    # The list's order is the one that has an index behind every filter.
    sortable_by = ()
    ordering = ("-last_failed_at", "-id")
    paginator = IndexedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "failed_messages/messages.html"
    list_per_page = 50
    list_max_show_all = 50
    actions = ("replay_selected", "discard_selected", "restore_selected")

    class Media:
        css = {"all": ("failed_messages/desk.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return VERBS["replay"].allowed(request)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return VERBS["discard"].allowed(request)

    # --- the list -------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        bulk_url = bulk_replay_url(request) if self.has_replay_permission(request) else ""
        return super().changelist_view(
            request, {"title": "Failed messages", "bulk_url": bulk_url, **(extra_context or {})}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).only(*SUMMARY_FIELDS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        words = search_term.strip()
        return (found(request, queryset, Filter(q=words)) if words else queryset), False

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
        error = ": ".join(part for part in (record.exception, record.message) if part)
        reason = record.get_reason_display()
        return format_html("<strong>{}</strong><br>{}", reason, Truncator(error).chars(120))

    @admin.display(description="last failed")
    def died(self, record: FailedMessage) -> str:
        return f"{record.last_failed_at:%Y-%m-%d %H:%M:%S}"

    @admin.action(description="Replay the selected messages", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._confirm_selected(request, VERBS["replay"], queryset)

    @admin.action(description="Discard the selected messages", permissions=["discard"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._confirm_selected(request, VERBS["discard"], queryset)

    @admin.action(description="Restore the selected messages", permissions=["discard"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._confirm_selected(request, VERBS["restore"], queryset)

    def _confirm_selected(
        self, request: HttpRequest, verb: Verb, queryset: QuerySet
    ) -> HttpResponse | None:
        ids = list(queryset.values_list("pk", flat=True)[: SELECTION_LIMIT + 1])
        if len(ids) > SELECTION_LIMIT:
            self.message_user(
                request,
                f"Select at most {SELECTION_LIMIT} at once, or use "
                f"`python manage.py failed_messages {verb.name}`.",
                messages.ERROR,
            )
            return None
        return self._confirmation(request, verb, [str(id_) for id_ in ids])

    # --- one message ----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        own = [
            path("charts/", site(self.charts_view), name="failed_messages_charts"),
            path("act/<str:verb>/", site(self.act_view), name="failed_messages_act"),
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
        record = self._record(request, object_id)
        buttons = [
            (verb, verb.obstacle(request, record))
            for verb in VERBS.values()
            if verb.name != "restore" or record.status == verb.from_status
        ]
        return self._page(
            request,
            "detail",
            title=str(record),
            buttons=buttons,
            edit_obstacle=edit_obstacle(request, record),
            **admin_detail.context(record),
        )

    def body_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The body as it came, to be saved and never shown by the browser."""
        record = self._record(request, object_id)
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
        return self._page(request, "charts", **admin_charts.context(request))

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows the body to be edited; POST checks it, shows the difference, or replays."""
        record = self._record(request, object_id)
        if not request.user.has_perm("failed_messages.edit_failedmessage"):
            raise PermissionDenied
        if request.method != "POST":
            return self._edit_page(request, record, editable(bytes(record.body)))
        # A browser ends lines as MIME does.
        body = request.POST.get("body", "").replace("\r\n", "\n")
        try:
            check(record.service, record.type, body)
            if request.POST.get("what") == "replay":
                return self._replay_edited(request, record, body)
        except (InvalidEdit, ReasonMissing) as error:
            return self._edit_page(request, record, body, error=str(error))
        return self._edit_page(request, record, body, lines=diff(bytes(record.body), body))

    def _replay_edited(
        self, request: HttpRequest, record: FailedMessage, body: str
    ) -> HttpResponse:
        by, reason = request.user.get_username(), request.POST.get("reason", "")
        verdict = edit_and_replay(record.pk, body, by, reason)
        level = messages.SUCCESS if verdict.done else messages.ERROR
        self.message_user(request, f"Edited copy {verdict.id}: {verdict.detail}.", level)
        return HttpResponseRedirect(self._page_after([verdict.id]))

    def _edit_page(
        self, request: HttpRequest, record: FailedMessage, body: str, **context: Any
    ) -> HttpResponse:
        return self._page(
            request,
            "edit",
            title="Edit and replay",
            record=record,
            body=body,
            reason=request.POST.get("reason", ""),
            back_url=self._page_after([str(record.pk)]),
            **context,
        )

    def act_view(self, request: HttpRequest, verb: str) -> HttpResponse:
        """GET asks for confirmation, POST acts."""
        if verb not in VERBS:
            raise Http404(f"there is nothing called {verb}")
        if not VERBS[verb].allowed(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request, VERBS[verb], request.POST.getlist("id"))
        return self._confirmation(request, VERBS[verb], request.GET.getlist("id"))

    def _act(self, request: HttpRequest, verb: Verb, ids: list[str]) -> HttpResponse:
        try:
            verdicts = verb.run(
                ids[:SELECTION_LIMIT], request.user.get_username(), request.POST.get("reason", "")
            )
        except ReasonMissing as error:
            return self._confirmation(request, verb, ids, error=str(error))
        self._tell(request, verb, verdicts)
        return HttpResponseRedirect(self._page_after(ids))

    def _tell(self, request: HttpRequest, verb: Verb, verdicts: Sequence[Verdict]) -> None:
        done = [verdict for verdict in verdicts if verdict.done]
        refused = [verdict for verdict in verdicts if not verdict.done]
        if done:
            detail = f" ({done[0].detail})" if len(done) == 1 else ""
            self.message_user(request, f"{verb.label}: {len(done)} done{detail}.", messages.SUCCESS)
        for verdict in refused[:VERDICTS_SHOWN]:
            self.message_user(
                request, f"{verb.label} refused for {verdict.id}: {verdict.detail}.", messages.ERROR
            )
        if len(refused) > VERDICTS_SHOWN:
            more = len(refused) - VERDICTS_SHOWN
            self.message_user(request, f"{verb.label} refused for {more} more.", messages.ERROR)

    def _confirmation(
        self, request: HttpRequest, verb: Verb, ids: list[str], error: str = ""
    ) -> HttpResponse:
        keys = [key for key in map(record_id, ids) if key]
        return self._page(
            request,
            "confirm",
            title=f"{verb.label}: are you sure?",
            verb=verb,
            ids=ids,
            selection=selection(ids),
            sentences=preview_of(keys).sentences() if verb.name == "replay" else (),
            error=error,
            act_url=reverse("admin:failed_messages_act", args=[verb.name]),
            back_url=self._page_after(ids),
        )

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        return TemplateResponse(
            request,
            f"failed_messages/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "media": self.media,
                **context,
            },
        )

    def _page_after(self, ids: list[str]) -> str:
        if len(ids) == 1 and record_id(ids[0]):
            return reverse("admin:failed_messages_failedmessage_change", args=ids)
        return reverse("admin:failed_messages_failedmessage_changelist")

    def _record(self, request: HttpRequest, object_id: str) -> FailedMessage:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not ObjectId.is_valid(object_id):
            raise Http404("there is no such failed message")
        record = FailedMessage.objects.filter(pk=object_id).first()
        if record is None:
            raise Http404("there is no such failed message")
        return record
