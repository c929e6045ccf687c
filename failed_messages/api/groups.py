"""Failure groups over HTTP."""

from __future__ import annotations

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.triage import triage
from failed_messages.api import operations
from failed_messages.api.bodies import TRIAGE as TRIAGE_BODY
from failed_messages.api.bodies import limit
from failed_messages.api.refusals import refused, refusing
from failed_messages.api.view import READ, TRIAGE, DeskView
from failed_messages.models import FailureGroup, GroupStatus
from failed_messages.reading.group_choice import chosen
from failed_messages.reading.group_figures import figures
from failed_messages.reading.representation import group_json
from messaging.service import services
from runtime.requests import newest_first, query_string

#: The parameters that choose no groups.
PAGE = ("limit", "cursor")
CHOICES = {"service": list(services()), "status": GroupStatus.values}


class GroupsView(DeskView):
    """GET /failed-messages/groups: one item for each cause, the newest failure first."""

    operations = {"GET": operations.LIST_GROUPS}

    def get(self, request: Request) -> Response:
        parameters = query_string.parameters(request)
        most = limit(parameters, newest_first.DEFAULT, newest_first.MOST)
        asked = {name: parameters[name] for name in parameters if name not in PAGE}
        for name, value in asked.items():
            check(name, value)
        status = asked.pop("status", "")
        groups = chosen(FailureGroup.objects.filter(**asked), status)
        found = newest_first.page_of(request, groups, "last_failed_at", parameters, most)
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
        changes = TRIAGE_BODY.of(request).changes()
        with refusing():
            if not triage(fingerprint.lower(), changes, self.by()):
                raise Http404
        return self.get(request, fingerprint)


def check(name: str, value: str) -> None:
    """Raises Refusal: there is no such parameter, or it cannot have that value."""
    if name not in CHOICES:
        names = ", ".join([*CHOICES, *PAGE])
        raise refused(
            name, "must not be given: it is not a known parameter", f"The parameters are {names}."
        )
    if value not in CHOICES[name]:
        choices = ", ".join(CHOICES[name])
        raise refused(name, f"must be one of {choices}", "Send one of them, or leave it out.")
