"""The desk's verbs over HTTP, for staff: a session with its CSRF token, or basic authentication."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bson import ObjectId
from django.http import Http404
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from failed_messages.description import full, group_json, job_json, policy_json, summary
from failed_messages.discard import discard, restore
from failed_messages.editing import edit_and_replay
from failed_messages.filters import Filter, duration
from failed_messages.group_figures import figures
from failed_messages.jobs import DEFAULT_RATE, STEERING, start, steer
from failed_messages.listing import page
from failed_messages.models import FailedMessage, FailureGroup, ReplayJob, ReplayPolicy
from failed_messages.policies import set_policy, switch_off
from failed_messages.preview import preview, preview_of
from failed_messages.refusals import Conflict, Refused, refusing
from failed_messages.replay import replay
from failed_messages.triage import triage
from failed_messages.verdict import Verdict, record_id

DEFAULT_LIMIT = 50
LIMIT = 200
IDS_LIMIT = 500

#: What acting needs, by the last part of the URL.
PERMISSIONS = {
    "replay": "replay_failedmessage",
    "edit": "edit_failedmessage",
    "discard": "discard_failedmessage",
    "restore": "discard_failedmessage",
}


class MayUseDesk(BasePermission):
    """Staff with the permission of what they ask for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user and user.is_authenticated and user.is_staff):
            self.message = "The desk is for staff: log in to the admin, or authenticate."
            return False
        needed = view.permission_for(request)
        self.message = f"You lack the permission failed_messages.{needed}."
        return bool(user.has_perm(f"failed_messages.{needed}"))


class DeskView(APIView):
    """A view of the desk; `acts_need` is the permission of any method but GET."""

    authentication_classes = [BasicAuthentication, SessionAuthentication]
    permission_classes = [MayUseDesk]
    acts_need = "replay_failedmessage"

    def permission_for(self, request: Request) -> str:
        safe = request.method in ("GET", "HEAD", "OPTIONS")
        return "view_failedmessage" if safe else self.needed_to_act()

    def needed_to_act(self) -> str:
        return self.acts_need

    def body(self) -> dict[str, Any]:
        """The request's JSON object."""
        data = self.request.data
        if not isinstance(data, dict):
            raise Refused("body", "send a JSON object")
        return data

    def by(self) -> str:
        return str(self.request.user.get_username())


class MessagesView(DeskView):
    """GET /failed-messages: the newest that match the filter in the URL."""

    def get(self, request: Request) -> Response:
        parameters = request.query_params.dict()
        limit = _number(parameters.pop("limit", str(DEFAULT_LIMIT)), "limit", LIMIT)
        after = parameters.pop("after", "")
        with refusing():
            selection = Filter.of(parameters)
        if after and record_id(after) is None:
            raise Refused("after", "it is the id of the last item of the page before")
        records = page(selection, limit, record_id(after) if after else None)
        is_last = len(records) < limit
        return Response(
            {
                "items": [summary(record) for record in records],
                "next": None if is_last else str(records[-1].pk),
            }
        )


class MessageView(DeskView):
    """GET /failed-messages/ID: everything about one."""

    def get(self, request: Request, id_: str) -> Response:
        return Response(full(_message(id_)))


class ActView(DeskView):
    """POST /failed-messages/ID/replay, …/edit, …/discard, …/restore."""

    def needed_to_act(self) -> str:
        return PERMISSIONS.get(self.kwargs["verb"], self.acts_need)

    def post(self, request: Request, id_: str, verb: str) -> Response:
        if verb not in PERMISSIONS:
            raise Http404
        _message(id_)
        reason = _text(self.body(), "reason")
        with refusing():
            verdict = self._act(id_, verb, reason)
        if not verdict.done:
            raise Conflict(verdict.detail)
        return Response(_verdict(verdict))

    def _act(self, id_: str, verb: str, reason: str) -> Verdict:
        if verb == "edit":
            return edit_and_replay(id_, _body_text(self.body()), self.by(), reason)
        acts: dict[str, Callable[..., list[Verdict]]] = {
            "replay": replay,
            "discard": discard,
            "restore": restore,
        }
        return acts[verb]([id_], self.by(), reason)[0]


class ReplayView(DeskView):
    """POST /failed-messages/replay: `ids`, a `group` or a `filter`; with `dryRun` the preview."""

    def post(self, request: Request) -> Response:
        asked = self.body()
        reason = _text(asked, "reason")
        if "ids" in asked:
            return self._replay_ids(_ids(asked["ids"]), reason)
        with refusing():
            selection = _selection(asked)
            if asked.get("dryRun"):
                return Response(preview(selection).json())
            rate = _number(asked.get("ratePerSecond", DEFAULT_RATE), "ratePerSecond", None)
            id_ = start(selection, self.by(), reason, rate)
        return Response(job_json(ReplayJob.objects.get(pk=id_)), status=202)

    def _replay_ids(self, ids: list[str], reason: str) -> Response:
        if self.body().get("dryRun"):
            return Response(preview_of([record_id(id_) for id_ in ids]).json())
        return Response({"items": [_verdict(each) for each in replay(ids, self.by(), reason)]})


class GroupsView(DeskView):
    """GET /failed-messages/groups: one item for each cause, the newest failure first."""

    def get(self, request: Request) -> Response:
        parameters = request.query_params.dict()
        limit = _number(parameters.pop("limit", str(DEFAULT_LIMIT)), "limit", LIMIT)
        unknown = sorted(set(parameters) - {"service", "status"})
        if unknown:
            raise Refused(unknown[0], "there are service, status, limit")
        groups = list(FailureGroup.objects.filter(**parameters)[:limit])
        known = figures([group.pk for group in groups])
        return Response({"items": [group_json(each, known[each.pk]) for each in groups]})


class GroupView(DeskView):
    """GET and PATCH /failed-messages/groups/FINGERPRINT."""

    acts_need = "change_failuregroup"

    def get(self, request: Request, fingerprint: str) -> Response:
        group = FailureGroup.objects.filter(pk=fingerprint).first()
        if group is None:
            raise Http404
        return Response(group_json(group, figures([fingerprint])[fingerprint]))

    def patch(self, request: Request, fingerprint: str) -> Response:
        changes = {("fixed_in" if k == "fixedIn" else k): v for k, v in self.body().items()}
        with refusing():
            if not triage(fingerprint, changes, self.by()):
                raise Http404
        return self.get(request, fingerprint)


class JobsView(DeskView):
    """GET /failed-messages/jobs: the latest bulk replays."""

    def get(self, request: Request) -> Response:
        return Response({"items": [job_json(job) for job in ReplayJob.objects.all()[:LIMIT]]})


class JobView(DeskView):
    """GET /failed-messages/jobs/ID, POST …/pause, …/resume, …/cancel."""

    def get(self, request: Request, id_: str) -> Response:
        return Response(job_json(_job(id_)))

    def post(self, request: Request, id_: str, what: str) -> Response:
        job = _job(id_)
        if what not in STEERING:
            raise Http404
        if not steer(job.pk, what, self.by(), _text(self.body(), "reason")):
            raise Conflict(f"The bulk replay is {job.state}, so there is nothing to {what}.")
        return Response(job_json(_job(id_)))


class PoliciesView(DeskView):
    """GET and POST /failed-messages/policies."""

    def get(self, request: Request) -> Response:
        return Response({"items": [policy_json(each) for each in ReplayPolicy.objects.all()]})

    def post(self, request: Request) -> Response:
        asked = self.body()
        with refusing():
            scope = set_policy(
                self.by(),
                delays=_delays(asked.get("after")),
                service=_text(asked, "service"),
                group=_text(asked, "group"),
                reason=_text(asked, "reason"),
            )
        return Response(policy_json(ReplayPolicy.objects.get(pk=scope)))


class PolicyView(DeskView):
    """DELETE /failed-messages/policies/SCOPE switches it off."""

    def delete(self, request: Request, scope: str) -> Response:
        if not switch_off(scope, self.by()):
            raise Http404
        return Response(policy_json(ReplayPolicy.objects.get(pk=scope)))


def _message(id_: str) -> FailedMessage:
    record = FailedMessage.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if record is None:
        raise Http404
    return record


def _job(id_: str) -> ReplayJob:
    job = ReplayJob.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if job is None:
        raise Http404
    return job


def _selection(asked: dict[str, Any]) -> Filter:
    group, text = _text(asked, "group"), _text(asked, "filter")
    if bool(group) == bool(text):
        raise Refused("filter", "send one of ids, group and filter")
    return Filter(group=group) if group else Filter.of_text(text)


def _ids(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused("ids", "it is an array of ids")
    if not 0 < len(value) <= IDS_LIMIT:
        raise Refused("ids", f"there are 1 to {IDS_LIMIT} of them; more go by group or filter")
    return value


def _body_text(asked: dict[str, Any]) -> str:
    """The edited body: an object as it is, or its text to the letter."""
    body = asked.get("body")
    if isinstance(body, str):
        return body
    if isinstance(body, dict):
        return json.dumps(body, ensure_ascii=False)
    raise Refused("body", "it is the edited body, an object or its text")


def _delays(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refused("after", 'it is an array of delays, e.g. ["15m", "1h", "6h"]')
    try:
        return [duration(str(each)) for each in value]
    except ValueError as error:
        raise Refused("after", str(error)) from error


def _text(asked: dict[str, Any], field: str) -> str:
    value = asked.get(field, "")
    if not isinstance(value, str):
        raise Refused(field, "it is text")
    return value


def _number(value: Any, field: str, most: int | None) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise Refused(field, "it is a whole number") from None
    if number < 1 or (most is not None and number > most):
        raise Refused(field, f"it is from 1 to {most}" if most else "it is at least 1")
    return number


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"id": verdict.id, "done": verdict.done, "detail": verdict.detail}
