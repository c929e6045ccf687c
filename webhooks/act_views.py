"""Acts on an endpoint over HTTP: rotating its secret, enabling and disabling it."""

from __future__ import annotations

from datetime import timedelta

import pymongo
from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from runtime.mongodb_clock import mongodb_now
from runtime.requests.caller import caller_of
from runtime.requests.deadline import ANSWER_SECONDS
from webhooks import managing, operations
from webhooks.bodies import NOTHING, ROTATE
from webhooks.disabling import disable, enable
from webhooks.representation import with_secret
from webhooks.views import SCOPES, answered, check_on, find, shown

BY_OWNER = "Its owner disabled it."


class RotateView(APIView):
    """Another secret, shown once; the one before it signs, too, for a while."""

    scopes = SCOPES
    operations = {"POST": operations.ROTATE_SECRET}
    #: None: an answer with a secret is not kept.
    has_keys_of_its_own = True

    def post(self, request: Request, endpoint_id: str) -> HttpResponse:
        overlap = timedelta(hours=ROTATE.of(request).overlap_hours)
        with pymongo.timeout(ANSWER_SECONDS):
            known = find(request, endpoint_id)
            changed = managing.rotate(known, overlap, caller_of(request).name)
            now = mongodb_now()
        if changed is None:
            raise NotFound("The endpoint was changed or deleted at the same moment. Try again.")
        response = answered(with_secret(changed, now))
        response["Cache-Control"] = "no-store"
        return response


class EnableView(APIView):
    """Enabling it again changes nothing."""

    scopes = SCOPES
    operations = {"POST": operations.ENABLE_ENDPOINT}

    def post(self, request: Request, endpoint_id: str) -> HttpResponse:
        NOTHING.of(request)
        check_on()
        with pymongo.timeout(ANSWER_SECONDS):
            return shown(enable(find(request, endpoint_id)["_id"]))


class DisableView(APIView):
    """Disabling it again changes nothing."""

    scopes = SCOPES
    operations = {"POST": operations.DISABLE_ENDPOINT}

    def post(self, request: Request, endpoint_id: str) -> HttpResponse:
        NOTHING.of(request)
        with pymongo.timeout(ANSWER_SECONDS):
            known = find(request, endpoint_id)
            return shown(disable(known["_id"], BY_OWNER, mongodb_now()))
