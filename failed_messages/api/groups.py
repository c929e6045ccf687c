"""Failure groups over HTTP."""

from __future__ import annotations

from django.http import Http404
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.triage import triage
from failed_messages.api import operations
from failed_messages.api.bodies import TRIAGE as TRIAGE_BODY
from failed_messages.api.bodies import faults_in_triage
from failed_messages.api.parameters import read_groups
from failed_messages.api.refusals import refusing
from failed_messages.api.view import READ, TRIAGE, DeskView
from failed_messages.models import FailureGroup
from failed_messages.reading.group_choice import chosen
from failed_messages.reading.group_figures import figures
from failed_messages.reading.representation import group_json
from runtime.requests import newest_first, query_string


class GroupsView(DeskView):
    """GET /failed-messages/groups: one item for each cause, the newest failure first."""

    operations = {"GET": operations.LIST_GROUPS}

    def get(self, request: Request) -> Response:
        parameters = query_string.parameters(request)
        asked = read_groups(parameters)
        groups = FailureGroup.objects.all()
        if asked.service is not UNSET:
            groups = groups.filter(service=asked.service)
        status = "" if asked.status is UNSET else asked.status
        found = newest_first.page_of(
            request, chosen(groups, status), "last_failed_at", parameters, asked.limit
        )
        known = figures([group.pk for group in found.records])
        shown = [group_json(each, known[each.pk]) for each in found.records]
        return Response({"items": shown, "next": found.next})


class GroupView(DeskView):
    """GET and PATCH /failed-messages/groups/FINGERPRINT."""

    scopes = {"GET": READ, "PATCH": TRIAGE}
    operations = {"GET": operations.SHOW_GROUP, "PATCH": operations.TRIAGE_GROUP}

    def get(self, request: Request, fingerprint: str) -> Response:
        # Hexadecimal digits, like every id: in capitals it is the same.
        group = FailureGroup.objects.filter(pk=fingerprint.lower()).first()
        if group is None:
            raise Http404
        return Response(group_json(group, figures([group.pk])[group.pk]))

    def patch(self, request: Request, fingerprint: str) -> Response:
        changes = TRIAGE_BODY.checked(request, faults_in_triage).changes()
        with refusing():
            if not triage(fingerprint.lower(), changes, self.by()):
                raise Http404
        return self.get(request, fingerprint)
