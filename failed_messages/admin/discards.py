"""Bulk discards in the admin: the question before one, and the page that shows its progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from failed_messages.acting.bulk_discard import (
    InvalidDiscard,
    cancel,
    start,
    why_not,
)
from failed_messages.acting.second_person import Waits
from failed_messages.acting.started_before import StartedBefore
from failed_messages.admin.background_jobs import JobAdmin
from failed_messages.admin.jobs import chosen
from failed_messages.models import DiscardJob, DiscardState
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.reading.discard_preview import discard_preview
from failed_messages.reading.filters import Filter, InvalidFilter
from failed_messages.reading.known_group import UnknownGroup
from failed_messages.records.permissions import DISCARD, lacks, may
from runtime.plural import counted

#: Of several groups at once.
MOST_SELECTIONS = 25
EDGES = {DiscardState.RUNNING: "replaying", DiscardState.STOPPED: "failed"}


@admin.register(DiscardJob)
class DiscardJobAdmin(JobAdmin):
    """More messages than one request discards."""

    edges, other_edge = EDGES, "discarded"

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("new/", site(self.start_view), name="failed_messages_bulk_discard"),
            *super().get_urls(),
        ]

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
            return self.told_started_before(request, job)
        except (InvalidDiscard, ReasonMissing) as error:
            return self._ask(request, selections, str(error))
        except Waits as waits:
            return self.told_to_wait(request, waits)
        return self.to_job(id_)

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
        job = self.job(object_id)
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
            edge=self.edge(job),
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
        return self.to_job(job.pk)


def bulk_discard_url(selections: Sequence[Filter]) -> str:
    """The page that asks before all that match are discarded."""
    query = urlencode([("selection", str(each)) for each in selections])
    return f"{reverse('admin:failed_messages_bulk_discard')}?{query}"


def too_many_groups(groups: int, act: str, most: int) -> str:
    """Why they are not asked about, and what to do; `act` is the verb."""
    some = counted(most, "group")
    return f"These are {groups:,} groups, and one bulk {act} takes up to {some}. Select fewer."


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
