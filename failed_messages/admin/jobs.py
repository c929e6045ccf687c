"""Bulk replays in the admin: the preview that starts one, and the page that shows its progress."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from bson import ObjectId
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from failed_messages.acting.job_control import (
    ACTIVE,
    CONTROLS,
    DEFAULT_RATE,
    MOST_A_SECOND,
    InvalidJob,
    control,
    start,
    why_not,
)
from failed_messages.acting.second_person import Waits
from failed_messages.acting.started_before import StartedBefore
from failed_messages.admin.background_jobs import JobAdmin
from failed_messages.admin.list_filters import asked
from failed_messages.models import FailedMessage, FailureGroup, JobState, PartState, ReplayJob
from failed_messages.reading.filters import Filter, InvalidFilter
from failed_messages.reading.known_group import UnknownGroup
from failed_messages.reading.next_step import runbooks
from failed_messages.reading.preview import preview
from failed_messages.records.order_facts import order_facts
from failed_messages.records.permissions import REPLAY, lacks, may
from runtime.requests.number import number_in

SHOWN = 20
TROUBLED = (PartState.RECURRED, PartState.DIED, PartState.LEFT_OUT, PartState.REFUSED)
EDGES = {
    JobState.STOPPED: "failed",
    JobState.CANCELLED: "discarded",
    JobState.DONE: "resolved",
}


@admin.register(ReplayJob)
class ReplayJobAdmin(JobAdmin):
    """Many messages, a few at first."""

    edges, other_edge = EDGES, "replaying"

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("new/", site(self.start_view), name="failed_messages_bulk"),
            *super().get_urls(),
        ]

    @admin.display(description="what")
    def what(self, job: ReplayJob) -> str:
        return format_html_join(", ", "{} {}", chosen(job.selection))

    @admin.display(description="resolved")
    def progress(self, job: ReplayJob) -> str:
        return f"{job.resolved:,} of {_total(job):,}"

    # --- starting one ---------------------------------------------------------------------

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """GET shows what it will do, POST starts it."""
        if not may(request.user, REPLAY):
            raise PermissionDenied
        try:
            if request.method == "POST":
                return self._start(request)
            return self._preview(request, Filter.of(request.GET.dict()))
        except (InvalidFilter, UnknownGroup) as error:
            raise Http404(str(error)) from error

    def _start(self, request: HttpRequest) -> HttpResponse:
        selection = Filter.of_text(request.POST.get("selection", ""))
        rate, job = request.POST.get("rate", ""), request.POST.get("job", "")
        try:
            id_ = start(
                selection,
                request.user.get_username(),
                request.POST.get("reason", ""),
                number_in(rate) or 0,
                ObjectId(job) if ObjectId.is_valid(job) else None,
            )
        except StartedBefore:
            return self.told_started_before(request, job)
        except InvalidJob as error:
            return self._preview(request, selection, error)
        except Waits as waits:
            return self.told_to_wait(request, waits)
        return self.to_job(id_)

    def _preview(
        self, request: HttpRequest, selection: Filter, error: InvalidJob | None = None
    ) -> HttpResponse:
        known = preview(selection)
        back = reverse("admin:failed_messages_failedmessage_changelist")
        return self.page(
            request,
            "bulk",
            title="Replay all that match: are you sure?",
            chosen=chosen(str(selection)),
            selection=str(selection),
            # A form that is sent twice, as by a double click, starts one.
            job=ObjectId(),
            sentences=known.sentences(),
            messages_count=known.messages,
            handlers=runbooks(known.kinds),
            warns=known.warns,
            rate=DEFAULT_RATE,
            most=MOST_A_SECOND,
            error=error,
            back_url=f"{back}?{selection}",
        )

    # --- watching one ---------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The progress of a bulk replay; POST controls it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.job(object_id)
        if request.method == "POST":
            return self._control(request, job)
        edge, known = self.edge(job), _context(request, job)
        return self.page(request, "job", title=str(job), edge=edge, **known)

    def _control(self, request: HttpRequest, job: ReplayJob) -> HttpResponse:
        what = request.POST.get("what", "")
        if not may(request.user, REPLAY):
            raise PermissionDenied
        if what not in CONTROLS:
            raise Http404(f"there is nothing called {what}")
        if control(job.pk, what, request.user.get_username()):
            self.message_user(request, f"Done: {what}.", messages.SUCCESS)
        else:
            said = f"Nothing was done: {why_not(job.pk, what)}."
            self.message_user(request, said, messages.ERROR)
        return self.to_job(job.pk)


def bulk_url(selection: Filter) -> str:
    """The preview of replaying all that match."""
    return f"{reverse('admin:failed_messages_bulk')}?{selection}"


def bulk_replay(request: HttpRequest) -> dict[str, str]:
    """The link to the preview for the list that the request is about, or why there is none."""
    if not may(request.user, REPLAY):
        return {"bulk_obstacle": lacks(REPLAY)}
    try:
        return {
            "bulk_url": bulk_url(Filter.of({"status": "failed", **asked(request).parameters()}))
        }
    except InvalidFilter as error:
        return {"bulk_obstacle": f"The filter in the URL is not valid: {error}."}


def _context(request: HttpRequest, job: ReplayJob) -> dict[str, Any]:
    wanted = FailedMessage.objects.only("order_id", "message", "job_state", "job_detail")
    not_resolved = wanted.filter(job=job.pk, job_state__in=list(TROUBLED)).order_by()
    troubled = list(not_resolved[:SHOWN])
    listed = {each.job_state for each in troubled}
    return {
        "job": job,
        "is_active": job.state in ACTIVE,
        "total": _total(job),
        "progress": f"{job.resolved:,} of {_total(job):,}",
        "settled": _total(job) - job.waiting - job.sent,
        "counts": [
            (state, label, f"{getattr(job, state):,}", state in listed)
            for state, label in PartState.choices
        ],
        "chosen": chosen(job.selection),
        "buttons": [(what, what.capitalize(), _obstacle(request, job, what)) for what in CONTROLS],
        "waiting_for": _waiting_for(job),
        "again_url": _again_url(request, job),
        "causes": _causes(job),
        "troubled": troubled,
        "known_orders": order_facts(record.order_id for record in troubled),
    }


def _again_url(request: HttpRequest, job: ReplayJob) -> str:
    """The preview of the same selection; empty while the job runs, or where the user may not."""
    if job.state in ACTIVE or not may(request.user, REPLAY):
        return ""
    try:
        return bulk_url(Filter.of_text(job.selection))
    except InvalidFilter:
        return ""


def _causes(job: ReplayJob) -> list[SafeString]:
    """The groups of what was not resolved, each once, in words."""
    troubled = FailedMessage.objects.filter(job=job.pk, job_state__in=list(TROUBLED)).order_by()
    found = troubled.values_list("fingerprint", flat=True)[:SHOWN]
    known = FailureGroup.objects.in_bulk({each for each in found if each})
    return [
        _group_link(each, f"{group.service}: {Truncator(group.pattern or group.reason).chars(120)}")
        for each, group in known.items()
    ]


def _obstacle(request: HttpRequest, job: ReplayJob, what: str) -> str:
    if not may(request.user, REPLAY):
        return lacks(REPLAY)
    return "" if job.state in CONTROLS[what][0] else f"It is {job.get_state_display().lower()}."


def _waiting_for(job: ReplayJob) -> str:
    if job.state == JobState.RUNNING and job.sent:
        return f"Waiting for {job.sent:,} answers. If none comes, check the worker."
    return ""


def chosen(selection: str) -> list[tuple[str, str]]:
    """Each filter and its value, of which a group is a link to its page."""
    # As it was stored, also by a release that took what this one does not.
    return [
        (name, _group_link(value, value) if name == "group" else value)
        for name, value in parse_qsl(selection)
    ]


def _group_link(fingerprint: str, words: str) -> SafeString:
    url = reverse("admin:failed_messages_failuregroup_change", args=[fingerprint])
    return format_html('<a href="{}">{}</a>', url, words)


def _total(job: ReplayJob) -> int:
    return sum(getattr(job, state) for state in PartState.values)
