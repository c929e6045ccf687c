"""Replaying many over HTTP, and the bulk replays that it starts."""

from __future__ import annotations

from bson import ObjectId
from django.http import Http404
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.job_control import CONTROLS, control, start, why_not
from failed_messages.acting.replay import replay
from failed_messages.api import operations
from failed_messages.api.bodies import ACT, REPLAY, Replay, faults_in_replay
from failed_messages.api.refusals import Conflict, refusing
from failed_messages.api.view import DeskView
from failed_messages.models import ReplayJob
from failed_messages.reading.act_result import record_id
from failed_messages.reading.filters import Filter
from failed_messages.reading.preview import preview, preview_of
from failed_messages.reading.representation import job_json, verdict_json
from messaging.readable_records import listed
from runtime.requests import newest_first


class ReplayView(DeskView):
    """POST /failed-messages/replay: `ids`, a `group` or a `filter`; with `dryRun` the preview."""

    operations = {"POST": operations.REPLAY_MANY}

    def post(self, request: Request) -> Response:
        asked = REPLAY.checked(request, faults_in_replay)
        if asked.ids is not UNSET:
            return self._replay_ids(asked.ids, asked)
        with refusing():
            selection = _selection(asked)
            if asked.dry_run:
                return Response(preview(selection).json())
            id_ = start(selection, self.by(), asked.reason, asked.rate_per_second)
        return Response(job_json(ReplayJob.objects.get(pk=id_)), status=202)

    def _replay_ids(self, chosen: list[str], asked: Replay) -> Response:
        if asked.dry_run:
            keys = [key for key in map(record_id, chosen) if key]
            return Response(preview_of(keys).json())
        verdicts = replay(chosen, self.by(), asked.reason)
        return Response({"items": [verdict_json(each) for each in verdicts]})


class JobsView(DeskView):
    """GET /failed-messages/jobs: bulk replays, the newest first."""

    operations = {"GET": operations.LIST_JOBS}

    def get(self, request: Request) -> Response:
        found = newest_first.page(request, ReplayJob.objects.all(), "at")
        items = listed(found.records, job_json, lambda each: f"bulk replay {each.pk}")
        return Response({"items": items, "next": found.next})


class JobView(DeskView):
    """GET /failed-messages/jobs/ID, POST …/pause, …/resume, …/cancel."""

    operations = {"GET": operations.SHOW_JOB, "POST": operations.CONTROL_JOB}

    def get(self, request: Request, id_: str) -> Response:
        return Response(job_json(_job(id_)))

    def post(self, request: Request, id_: str, what: str) -> Response:
        job = _job(id_)
        if what not in CONTROLS:
            raise Http404
        if not control(job.pk, what, self.by(), ACT.of(request).reason):
            reason = why_not(job.pk, what)
            raise Conflict(f"{reason[0].upper()}{reason[1:]}.")
        return Response(job_json(_job(id_)))


def _job(id_: str) -> ReplayJob:
    job = ReplayJob.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if job is None:
        raise Http404
    return job


def _selection(asked: Replay) -> Filter:
    if asked.group:
        return Filter.of({"group": asked.group})
    return Filter.of_text(asked.filter)
