"""Messages that wait for their next attempt, over HTTP: run it now, or never again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.waiting_retries import retry_now, stop_retrying
from failed_messages.api import operations
from failed_messages.api.bodies import ACT, REASONED_ACT
from failed_messages.api.refusals import Conflict, refusing
from failed_messages.api.view import REPLAY, DeskView
from failed_messages.reading.act_result import Verdict
from failed_messages.reading.representation import verdict_json
from failed_messages.reading.waiting_retry import find
from runtime.requests.json_body import JsonBody

VERBS: dict[str, Callable[[str, str, str], Verdict]] = {
    "retry-now": retry_now,
    "stop-retrying": stop_retrying,
}
BODIES: dict[str, JsonBody[Any]] = {"retry-now": ACT, "stop-retrying": REASONED_ACT}


class RetryView(DeskView):
    """POST /failed-messages/retries/ID/retry-now, …/stop-retrying."""

    #: `failed_messages.urls` says another scope for stopping.
    scopes = {"POST": REPLAY}
    operations = {"POST": operations.OF_RETRIES["retry-now"]}

    def post(self, request: Request, id_: str, verb: str) -> Response:
        reason = BODIES[verb].of(request).reason
        if find(id_) is None:
            raise Http404
        with refusing():
            verdict = VERBS[verb](id_, self.by(), reason)
        if not verdict.done:
            raise Conflict(verdict.detail)
        return Response(verdict_json(verdict))
