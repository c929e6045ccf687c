"""Replaying many over HTTP, and the bulk replays that come of it."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.api_fields import ids, number, text
from failed_messages.api_view import DeskView
from failed_messages.description import job_json, verdict_json
from failed_messages.filters import Filter
from failed_messages.jobs import DEFAULT_RATE, MOST_A_SECOND, STEERING, start, steer
from failed_messages.models import ReplayJob
from failed_messages.preview import preview, preview_of
from failed_messages.refusals import Conflict, Refused, refusing
from failed_messages.replay import replay
from failed_messages.verdict import record_id

#: The latest; older ones are in the admin.
JOBS_SHOWN = 200


class ReplayView(DeskView):
    """POST /failed-messages/replay: `ids`, a `group` or a `filter`; with `dryRun` the preview."""

    def post(self, request: Request) -> Response:
        asked = self.body()
        reason = text(asked, "reason")
        if "ids" in asked:
            return self._replay_ids(ids(asked["ids"]), reason)
        with refusing():
            selection = _selection(asked)
            if asked.get("dryRun"):
                return Response(preview(selection).json())
            rate = number(asked.get("ratePerSecond", DEFAULT_RATE), "ratePerSecond", MOST_A_SECOND)
            id_ = start(selection, self.by(), reason, rate)
        return Response(job_json(ReplayJob.objects.get(pk=id_)), status=202)

    def _replay_ids(self, chosen: list[str], reason: str) -> Response:
        if self.body().get("dryRun"):
            return Response(preview_of([record_id(each) for each in chosen]).json())
        verdicts = replay(chosen, self.by(), reason)
        return Response({"items": [verdict_json(each) for each in verdicts]})


class JobsView(DeskView):
    """GET /failed-messages/jobs: the latest bulk replays."""

    def get(self, request: Request) -> Response:
        return Response({"items": [job_json(job) for job in ReplayJob.objects.all()[:JOBS_SHOWN]]})


class JobView(DeskView):
    """GET /failed-messages/jobs/ID, POST …/pause, …/resume, …/cancel."""

    def get(self, request: Request, id_: str) -> Response:
        return Response(job_json(_job(id_)))

    def post(self, request: Request, id_: str, what: str) -> Response:
        job = _job(id_)
        if what not in STEERING:
            raise Http404
        if not steer(job.pk, what, self.by(), text(self.body(), "reason")):
            raise Conflict(f"The bulk replay is {job.state}, so there is nothing to {what}.")
        return Response(job_json(_job(id_)))


def _job(id_: str) -> ReplayJob:
    job = ReplayJob.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if job is None:
        raise Http404
    return job


def _selection(asked: dict[str, Any]) -> Filter:
    group, words = text(asked, "group"), text(asked, "filter")
    if bool(group) == bool(words):
        raise Refused("filter", "send one of ids, group and filter")
    return Filter(group=group) if group else Filter.of_text(words)
