"""Failure groups over HTTP."""

from __future__ import annotations

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.api_fields import number
from failed_messages.api_view import DeskView
from failed_messages.description import group_json
from failed_messages.group_figures import figures
from failed_messages.models import FailureGroup
from failed_messages.permissions import TRIAGE
from failed_messages.refusals import Refused, refusing
from failed_messages.triage import triage

DEFAULT_LIMIT = 50
LIMIT = 200


class GroupsView(DeskView):
    """GET /failed-messages/groups: one item for each cause, the newest failure first."""

    def get(self, request: Request) -> Response:
        parameters = request.query_params.dict()
        limit = number(parameters.pop("limit", str(DEFAULT_LIMIT)), "limit", LIMIT)
        unknown = sorted(set(parameters) - {"service", "status"})
        if unknown:
            raise Refused(unknown[0], "there are service, status, limit")
        groups = list(FailureGroup.objects.filter(**parameters)[:limit])
        known = figures([group.pk for group in groups])
        return Response({"items": [group_json(each, known[each.pk]) for each in groups]})


class GroupView(DeskView):
    """GET and PATCH /failed-messages/groups/FINGERPRINT."""

    acts_need = TRIAGE

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
