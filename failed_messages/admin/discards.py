"""Bulk discards in the admin: the question before one, and the page that shows its progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from failed_messages.acting.bulk_discard import (
    InvalidDiscard,
    cancel,
    start,
    why_not,
)
from failed_messages.acting.second_person import Waits
from failed_messages.acting.started_before import StartedBefore
from failed_messages.admin.jobs import chosen
from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import DiscardJob, DiscardState
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.reading.discard_preview import discard_preview
from failed_messages.reading.filters import Filter, InvalidFilter
from failed_messages.reading.known_group import UnknownGroup
from failed_messages.records.last_act import last_act
from failed_messages.records.permissions import DISCARD, lacks, may
from runtime.moment import exact
from runtime.plural import counted

#: Of several groups at once.
MOST_SELECTIONS = 25
EDGES = {DiscardState.RUNNING: "replaying", DiscardState.STOPPED: "failed"}


@admin.register(DiscardJob)
class DiscardJobAdmin(DeskAdmin):
    """More messages than one request discards."""

    list_display = ("started", "by", "state_label", "what", "progress")
    list_display_links = ("started",)
    list_per_page = 50
    actions = None

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("new/", site(self.start_view), name="failed_messages_bulk_discard"),
            *super().get_urls(),
        ]

    @admin.display(description="started")
    def started(self, job: DiscardJob) -> str:
        return exact(job.at)

    @admin.display(description="state")
    def state_label(self, job: DiscardJob) -> str:
        return format_html(
            '<span class="fm-status fm-{}">{}</span>', _edge(job), job.get_state_display()
        )

    @admin.display(description="what")
    def what(self, job: DiscardJob) -> str:
        return format_html_join(", ", "{} {}", _chosen(job.selection.split("\n")))

    @admin.display(description="discarded")
    def progress(self, job: DiscardJob) -> str:
        return _progress(job)

    # --- starting one ---------------------------------------------------------------------

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """GET shows what it will do, POST starts it."""
        if not may(request.user, DISCARD):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        try:
            selections = [Filter.of_text(each) for each in given.getlist("selection")]
            if not 0 < len(selections) <= MOST_SELECTIONS:
                raise Http404(f"say which messages, by up to {MOST_SELECTIONS} filters")
            if request.method == "POST":
                return self._start(request, selections)
            return self._ask(request, selections)
        except (InvalidFilter, UnknownGroup) as error:
            raise Http404(str(error)) from error

    def _start(self, request: HttpRequest, selections: Sequence[Filter]) -> HttpResponse:
        job, reason = request.POST.get("job", ""), request.POST.get("reason", "")
        given_id = ObjectId(job) if ObjectId.is_valid(job) else None
        try:
            id_ = start(selections, request.user.get_username(), reason, given_id)
        except StartedBefore:
            said = f"It was started before ({last_act(job)}), and was not started again."
            self.message_user(request, said, messages.WARNING)
            return HttpResponseRedirect(discard_job_url(ObjectId(job)))
        except (InvalidDiscard, ReasonMissing) as error:
            return self._ask(request, selections, str(error))
        except Waits as waits:
            return self.told_to_wait(request, waits)
        return HttpResponseRedirect(discard_job_url(id_))

    def _ask(
        self, request: HttpRequest, selections: Sequence[Filter], error: str = ""
    ) -> HttpResponse:
        known = discard_preview(selections)
        texts = [str(each) for each in selections]
        return self.page(
            request,
            "bulk_discard",
            title="Discard all that match: are you sure?",
            chosen=_chosen(texts),
            selections=texts,
            # A form that is sent twice, as by a double click, starts one.
            job=ObjectId(),
            sentences=known.sentences(),
            messages_count=known.messages,
            error=error,
            back_url=_back_url(selections),
        )

    # --- watching one ---------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The progress of a bulk discard; POST cancels it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = _job(object_id)
        if request.method == "POST":
            return self._cancel(request, job)
        is_active = job.state == DiscardState.RUNNING
        obstacle = "" if is_active else f"It is {job.get_state_display().lower()}."
        return self.page(
            request,
            "discard_job",
            title=str(job),
            job=job,
            is_active=is_active,
            edge=_edge(job),
            progress=_progress(job),
            chosen=_chosen(job.selection.split("\n")),
            obstacle=obstacle if may(request.user, DISCARD) else lacks(DISCARD),
            discarded_url=_list_url(job.selection.split("\n"), "discarded"),
        )

    def _cancel(self, request: HttpRequest, job: DiscardJob) -> HttpResponse:
        if not may(request.user, DISCARD):
            raise PermissionDenied
        if request.POST.get("what") != "cancel":
            raise Http404("it can only be cancelled")
        if cancel(job.pk, request.user.get_username()):
            self.message_user(request, "Done: cancel.", messages.SUCCESS)
        else:
            said = f"Nothing was done: {why_not(job.pk)}."
            self.message_user(request, said, messages.ERROR)
        return HttpResponseRedirect(discard_job_url(job.pk))


def bulk_discard_url(selections: Sequence[Filter]) -> str:
    """The page that asks before all that match are discarded."""
    query = urlencode([("selection", str(each)) for each in selections])
    return f"{reverse('admin:failed_messages_bulk_discard')}?{query}"


def too_many_groups(groups: int, act: str, most: int) -> str:
    """Why they are not asked about, and what to do; `act` is the verb."""
    some = counted(most, "group")
    return f"These are {groups:,} groups, and one bulk {act} takes up to {some}. Select fewer."


def discard_job_url(id_: ObjectId) -> str:
    """The page of one bulk discard."""
    return reverse("admin:failed_messages_discardjob_change", args=[id_])


def _job(id_: str) -> DiscardJob:
    job = DiscardJob.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if job is None:
        raise Http404("there is no such bulk discard")
    return job


def _chosen(selections: Sequence[str]) -> list[tuple[str, str]]:
    """What each filter asks for, once."""
    return list(dict.fromkeys(pair for each in selections for pair in chosen(each)))


def _progress(job: DiscardJob) -> str:
    return f"{job.discarded:,} of {job.found:,}"


def _back_url(selections: Sequence[Filter]) -> str:
    if len(selections) == 1:
        return _list_url([str(selections[0])])
    return reverse("admin:failed_messages_failuregroup_changelist")


def _list_url(selections: Sequence[str], status: str = "") -> str:
    """The list of what matches; of several groups there is none, so of all."""
    query = Filter.of_text(selections[0]).parameters() if len(selections) == 1 else {}
    query |= {"status": status} if status else {}
    return f"{reverse('admin:failed_messages_failedmessage_changelist')}?{urlencode(query)}"


def _edge(job: DiscardJob) -> str:
    return EDGES.get(DiscardState(job.state), "discarded")
