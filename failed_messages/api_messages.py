"""Failed messages over HTTP: find them, look at one, act on one."""

from __future__ import annotations

from collections.abc import Callable

from bson import ObjectId
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.api_fields import body_text, number, text
from failed_messages.api_view import DeskView
from failed_messages.description import full, summary, verdict_json
from failed_messages.discard import discard, restore
from failed_messages.editing import check, diff, edit_and_replay
from failed_messages.filters import Filter
from failed_messages.listing import page
from failed_messages.models import FailedMessage
from failed_messages.permissions import DISCARD, EDIT, REPLAY
from failed_messages.refusals import Conflict, Refused, refusing
from failed_messages.replay import replay
from failed_messages.verdict import Verdict, record_id

DEFAULT_LIMIT = 50
LIMIT = 200

#: What acting needs, by the last part of the URL.
PERMISSIONS = {
    "replay": REPLAY,
    "edit": EDIT,
    "discard": DISCARD,
    "restore": DISCARD,
}


class MessagesView(DeskView):
    """GET /failed-messages: the newest that match the filter in the URL."""

    def get(self, request: Request) -> Response:
        parameters = request.query_params.dict()
        limit = number(parameters.pop("limit", str(DEFAULT_LIMIT)), "limit", LIMIT)
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
        record = _message(id_)
        if verb == "edit" and self.body().get("dryRun"):
            return self._edit_preview(record)
        reason = text(self.body(), "reason")
        with refusing():
            verdict = self._act(id_, verb, reason)
        if not verdict.done:
            raise Conflict(verdict.detail)
        return Response(verdict_json(verdict))

    def _edit_preview(self, record: FailedMessage) -> Response:
        body = body_text(self.body())
        with refusing():
            check(record.service, record.type, body)
        lines = diff(bytes(record.body), body)
        return Response({"diff": [f"{line.sign} {line.text}" for line in lines]})

    def _act(self, id_: str, verb: str, reason: str) -> Verdict:
        if verb == "edit":
            return edit_and_replay(id_, body_text(self.body()), self.by(), reason)
        acts: dict[str, Callable[..., list[Verdict]]] = {
            "replay": replay,
            "discard": discard,
            "restore": restore,
        }
        return acts[verb]([id_], self.by(), reason)[0]


def _message(id_: str) -> FailedMessage:
    record = FailedMessage.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if record is None:
        raise Http404
    return record
