"""Policies of scheduled replay over HTTP."""

from __future__ import annotations

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.policies import set_policy, switch_off
from failed_messages.api import operations
from failed_messages.api.bodies import NOTHING, POLICY, faults_in_policy
from failed_messages.api.refusals import refusing
from failed_messages.api.view import DeskView
from failed_messages.models import ReplayPolicy
from failed_messages.reading.filters import duration
from failed_messages.reading.representation import policy_json
from messaging.readable_records import listed
from runtime.requests import newest_first


class PoliciesView(DeskView):
    """GET and POST /failed-messages/policies."""

    operations = {"GET": operations.LIST_POLICIES, "POST": operations.SET_POLICY}

    def get(self, request: Request) -> Response:
        policies = ReplayPolicy.objects.order_by("-at", "-id")
        found = newest_first.page(request, policies, "at")
        items = listed(found.records, policy_json, lambda each: f"replay policy {each.pk}")
        return Response({"items": items, "next": found.next})

    def post(self, request: Request) -> Response:
        asked = POLICY.checked(request, faults_in_policy)
        with refusing():
            scope = set_policy(
                self.by(),
                delays=[duration(each) for each in asked.after],
                service=asked.service,
                group=asked.group,
                reason=asked.reason,
            )
        return Response(policy_json(ReplayPolicy.objects.get(pk=scope)))


class PolicyView(DeskView):
    """DELETE /failed-messages/policies/SCOPE switches it off."""

    operations = {"DELETE": operations.END_POLICY}

    def delete(self, request: Request, scope: str) -> Response:
        NOTHING.of(request)
        if not switch_off(scope.lower(), self.by()):
            raise Http404
        return Response(policy_json(ReplayPolicy.objects.get(pk=scope.lower())))
