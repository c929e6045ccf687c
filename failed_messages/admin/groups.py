"""Failure groups in the admin: one row for each cause."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from failed_messages.acting.triage import STATUSES, InvalidTriage, moved, triage
from failed_messages.admin.ago import ago
from failed_messages.admin.discards import MOST_SELECTIONS, too_many_groups
from failed_messages.admin.group_list import GroupList, ServiceFilter, SortFilter, StatusFilter
from failed_messages.admin.jobs import bulk_url
from failed_messages.admin.list_filters import ALL
from failed_messages.admin.message_page import fault_label, faults_url
from failed_messages.admin.pages import DeskAdmin
from failed_messages.admin.svg import sparkline
from failed_messages.models import AuditEntry, FailedMessage, FailureGroup, GroupStatus, Status
from failed_messages.reading.filters import Filter
from failed_messages.reading.group_figures import Figures, deaths_by_hour, figures
from failed_messages.reading.next_step import Kind, next_step, runbooks, warns
from failed_messages.reading.representation import SUMMARY_FIELDS
from failed_messages.records.order_facts import order_facts
from failed_messages.records.permissions import DISCARD, REPLAY, TRIAGE, lacks, may
from runtime.moment import exact
from runtime.plural import counted

NEWEST_SHOWN = 10
FIELDS = ("owner", "note", "link", "status", "fixed_in")
WEEK_HOURS = 168


class FixedIn(ActionForm):
    """What "Mark as fixed" asks for."""

    release = forms.CharField(required=False, max_length=100, label="Fixed in release:")


@admin.register(FailureGroup)
class FailureGroupAdmin(DeskAdmin):
    """What fails, and how far the operators are with it."""

    list_display = ("cause", "state", "failing", "trend", "affected", "failed")
    list_filter = (SortFilter, ("status", StatusFilter), ServiceFilter)
    search_fields = ("id", "exception", "pattern", "owner", "note")
    search_help_text = "Fingerprint, words of the error, owner or note"
    list_per_page = 25
    list_max_show_all = 25
    action_form = FixedIn
    actions = ("assign_to_me", "investigate", "fixed", "discard_messages")

    def has_triage_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return may(request.user, DISCARD)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, TRIAGE)

    # --- the list -------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GroupList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": "Failure groups: one row for each cause", **(extra_context or {})}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return FailureGroup.objects.all()

    @admin.display(description="cause")
    def cause(self, group: FailureGroup) -> str:
        return format_html(
            "<strong>{}: {}</strong><br><small>{}</small>",
            group.service,
            Truncator(group.pattern or group.reason).chars(120),
            ", ".join(filter(None, (Truncator(group.exception).chars(80), group.frame))),
        )

    @admin.display(description="status")
    def state(self, group: FailureGroup) -> str:
        """And what is known of it: its owner, the note's beginning, the link."""
        link = format_html('<a href="{}" rel="noreferrer">link</a>', group.link)
        parts = [group.owner, Truncator(group.note).chars(60), link if group.link else ""]
        known = format_html_join("", "<br><small>{}</small>", ((each,) for each in parts if each))
        return format_html("{}{}", status_label(group, _figures(group).messages), known)

    @admin.display(description="failed now")
    def failing(self, group: FailureGroup) -> str:
        return format_html(
            '<a href="{}">{}</a><br><small><a href="{}">{}</a> in all</small>',
            messages_url(group.pk),
            f"{_figures(group).messages:,}",
            messages_url(group.pk, ALL),
            counted(group.deaths, "death"),
        )

    @admin.display(description="last 24 h")
    def trend(self, group: FailureGroup) -> str:
        return sparkline(_figures(group).trend)

    @admin.display(description="orders")
    def affected(self, group: FailureGroup) -> str:
        return affected(group.pk, _figures(group))

    @admin.display(description="last failed")
    def failed(self, group: FailureGroup) -> str:
        first = exact(group.first_failed_at)
        return format_html("{}<br><small>first: {}</small>", ago(group.last_failed_at), first)

    # --- several groups -------------------------------------------------------------------

    @admin.action(description="Assign to me", permissions=["triage"])
    def assign_to_me(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._triage_each(request, queryset, {"owner": request.user.get_username()})

    @admin.action(description="Mark as under investigation", permissions=["triage"])
    def investigate(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._triage_each(request, queryset, {"status": str(GroupStatus.UNDER_INVESTIGATION)})

    @admin.action(description="Mark as fixed in the release", permissions=["triage"])
    def fixed(self, request: HttpRequest, queryset: QuerySet) -> None:
        release = request.POST.get("release", "").strip()
        self._triage_each(
            request, queryset, {"status": str(GroupStatus.FIXED), "fixed_in": release}
        )

    @admin.action(description="Discard their failed messages", permissions=["discard"])
    def discard_messages(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        groups = list(queryset.values_list("pk", flat=True))
        if len(groups) > MOST_SELECTIONS:
            said = too_many_groups(len(groups), "discard", MOST_SELECTIONS)
            self.message_user(request, said, messages.ERROR)
            return None
        return HttpResponseRedirect(discard_url(*groups))

    def _triage_each(
        self, request: HttpRequest, queryset: QuerySet, changes: dict[str, str]
    ) -> None:
        groups = list(queryset.values_list("pk", flat=True))
        try:
            for fingerprint in groups:
                triage(fingerprint, changes, request.user.get_username())
        except InvalidTriage as error:
            self.message_user(request, f"Nothing is changed: {error}", messages.ERROR)
        else:
            some = f"{len(groups)} group{'' if len(groups) == 1 else 's'}"
            self.message_user(request, f"Saved for {some}.", messages.SUCCESS)

    # --- one group ------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The group's page; POST is triage."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._triage(request, object_id)
        return self._group_page(request, self._group(object_id))

    def _triage(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        group = self._group(fingerprint)
        shown = _shown(request, group)
        wanted = _changes(request, shown)
        try:
            if wanted:
                triage(fingerprint, wanted, request.user.get_username(), shown)
        except InvalidTriage as error:
            group = self._group(fingerprint)
            return self._group_page(request, group, error=error, asked=wanted)
        for name in FIELDS:
            if name not in wanted and (now := getattr(group, name)) != shown[name]:
                said = f"{name}: {moved(fingerprint, name, now)}, and stays."
                self.message_user(request, said, messages.WARNING)
        self.message_user(request, "Saved." if wanted else "Nothing changed.", messages.SUCCESS)
        return HttpResponseRedirect(group_url(fingerprint))

    def _group_page(
        self, request: HttpRequest, group: FailureGroup, **context: Any
    ) -> HttpResponse:
        its_own = FailedMessage.objects.only(*SUMMARY_FIELDS, "certificates").filter(
            fingerprint=group.pk
        )
        newest = list(its_own[:NEWEST_SHOWN])
        return self.page(
            request,
            "group",
            title=str(group),
            group=group,
            state=status_label(group, (known := figures([group.pk])[group.pk]).messages),
            affected=affected(group.pk, known),
            figures=known,
            failing=f"{known.messages:,}",
            deaths=f"{group.deaths:,}",
            week=sparkline(deaths_by_hour([group.pk], WEEK_HOURS)[group.pk]),
            newest=newest,
            known_orders=order_facts(record.order_id for record in newest),
            messages_url=messages_url(group.pk),
            all_messages_url=messages_url(group.pk, ALL),
            statuses=[(each, GroupStatus(each).label) for each in STATUSES],
            replay_obstacle=_obstacle(request, known, REPLAY),
            first_failed=ago(group.first_failed_at),
            last_failed=ago(group.last_failed_at),
            simulated=_simulated(newest),
            handlers=runbooks(Kind(each.service, each.type, each.reason) for each in newest),
            warns=warns(group.reason),
            policy_url=f"{reverse('admin:failed_messages_replaypolicy_add')}?group={group.pk}",
            discard_url=discard_url(group.pk),
            discard_obstacle=_obstacle(request, known, DISCARD),
            bulk_url=bulk_url(Filter(group=group.pk, status=str(Status.FAILED))),
            triage_obstacle="" if self.has_change_permission(request) else lacks(TRIAGE),
            audit=AuditEntry.objects.filter(subject_id=group.pk)[:NEWEST_SHOWN],
            **context,
        )

    def _group(self, fingerprint: str) -> FailureGroup:
        group = FailureGroup.objects.filter(pk=fingerprint).first()
        if group is None:
            raise Http404("there is no such failure group")
        return group


def _simulated(newest: list[FailedMessage]) -> dict[str, str]:
    """What to do about a fault that somebody simulates, and where; empty where none is."""
    for each in newest:
        if each.status == Status.FAILED and (url := faults_url(each)):
            return {"step": next_step(each), "url": url, "label": fault_label(each)}
    return {}


def messages_url(fingerprint: str, status: str = str(Status.FAILED)) -> str:
    """The list of the group's messages that are failed now, or are in this status."""
    return (
        reverse("admin:failed_messages_failedmessage_changelist")
        + f"?group={fingerprint}&status={status}"
    )


def group_url(fingerprint: str) -> str:
    """The group's page."""
    return reverse("admin:failed_messages_failuregroup_change", args=[fingerprint])


def status_label(group: FailureGroup, failing: int) -> str:
    """`Fixed in 1.4.0`, in its colour; a new one of which none is failed now is not new any more.

    `failing` is how many of its messages are failed now.
    """
    fixed = group.status in (GroupStatus.FIXED, GroupStatus.REGRESSED) and group.fixed_in
    words = {GroupStatus.FIXED: "Fixed in {}", GroupStatus.REGRESSED: "Regressed, was fixed in {}"}
    said = words[GroupStatus(group.status)].format(fixed) if fixed else group.get_status_display()
    is_over = group.status == GroupStatus.NEW and not failing
    color, said = ("fixed", "None failed now") if is_over else (group.status, said)
    return format_html('<span class="fm-status fm-group-{}">{}</span>', color, said)


def affected(fingerprint: str, known: Figures) -> str:
    """`37 orders, 4,210.00 EUR`, with the link to the messages about them."""
    if not known.orders:
        return "-"
    orders = f"{'at least ' if known.at_least else ''}{counted(known.orders, 'order')}"
    url = messages_url(fingerprint)
    return format_html('<a href="{}">{}<br>{}</a>', url, orders, known.value)


def discard_url(*fingerprints: str) -> str:
    """The page that asks before what is failed of the groups is discarded."""
    act = reverse("admin:failed_messages_act", args=["discard"])
    return f"{act}?{urlencode([('group', each) for each in fingerprints])}"


def _obstacle(request: HttpRequest, known: Figures, permission: str) -> str:
    if not may(request.user, permission):
        return lacks(permission)
    return "" if known.messages else "None of its messages is failed now."


def _figures(group: Any) -> Figures:
    return group.figures


def _shown(request: HttpRequest, group: FailureGroup) -> dict[str, str]:
    """What each field was when the form was opened; for a program's request, what it is."""
    sent = {name: request.POST.get(f"was_{name}", getattr(group, name)) for name in FIELDS}
    # A browser ends lines as MIME does.
    return {name: value.replace("\r\n", "\n").strip() for name, value in sent.items()}


def _changes(request: HttpRequest, shown: dict[str, str]) -> dict[str, str]:
    """What the form's user changed; a form left open does not undo a colleague's."""
    sent = {name: request.POST[name] for name in FIELDS if name in request.POST}
    asked = {name: value.replace("\r\n", "\n").strip() for name, value in sent.items()}
    wanted = {name: value for name, value in asked.items() if value != shown[name]}
    if wanted.get("status") == GroupStatus.FIXED:
        wanted["fixed_in"] = asked.get("fixed_in", "")
    return wanted
