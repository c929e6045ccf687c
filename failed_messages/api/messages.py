"""Failed messages over HTTP: find them, read one, act on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bson import ObjectId
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.discard import discard, restore
from failed_messages.acting.editing import diff, edit_and_replay
from failed_messages.acting.replay import replay
from failed_messages.api import operations
from failed_messages.api.bodies import ACT, REASONED_ACT, Edit, faults_in_edit, text_of
from failed_messages.api.bodies import EDIT as EDIT_BODY
from failed_messages.api.parameters import read_messages
from failed_messages.api.refusals import Conflict, refusing
from failed_messages.api.view import REPLAY, DeskView
from failed_messages.models import FailedMessage
from failed_messages.reading.act_result import Verdict, record_id
from failed_messages.reading.filters import Filter
from failed_messages.reading.listing import page
from failed_messages.reading.representation import full, summary, verdict_json
from runtime.requests import cursor, newest_first, query_string
from runtime.requests.json_body import JsonBody

ACTS: dict[str, Callable[..., list[Verdict]]] = {
    "replay": replay,
    "discard": discard,
    "restore": restore,
}
BODIES: dict[str, JsonBody[Any]] = {"discard": REASONED_ACT}


class MessagesView(DeskView):
    """GET /failed-messages: the newest that match the filter in the URL."""

    operations = {"GET": operations.LIST}

    def get(self, request: Request) -> Response:
        parameters = query_string.parameters(request)
        most = read_messages(parameters).limit
        with refusing(is_body=False):
            selection = Filter.of(without(parameters, "limit", "cursor"))
        found = page(selection, most + 1, place_in(parameters))
        shown = newest_first.cut(request, found, "last_failed_at", parameters, most)
        return Response({"items": [summary(each) for each in shown.records], "next": shown.next})


class MessageView(DeskView):
    """GET /failed-messages/ID: everything about one."""

    operations = {"GET": operations.SHOW}

    def get(self, request: Request, id_: str) -> Response:
        return Response(full(_message(id_)))


class ActView(DeskView):
    """POST /failed-messages/ID/replay, …/edit, …/discard, …/restore."""

    #: The verbs other than replay have other scopes, see `failed_messages.urls`.
    scopes = {"POST": REPLAY}
    operations = {"POST": operations.ACTS["replay"]}

    def post(self, request: Request, id_: str, verb: str) -> Response:
        record = _message(id_)
        if verb == "edit":
            # It sends the copy.
            self.require(REPLAY)
            asked = EDIT_BODY.checked(request, partial(faults_in_edit, record))
            if asked.dry_run:
                return self._edit_preview(record, text_of(asked.body))
            verdict = self._edit(id_, asked)
        else:
            reason = BODIES.get(verb, ACT).of(request).reason
            [verdict] = ACTS[verb]([id_], self.by(), reason)
        if not verdict.done:
            raise Conflict(verdict.detail)
        return Response(verdict_json(verdict))

    def _edit_preview(self, record: FailedMessage, body: str) -> Response:
        lines = diff(bytes(record.body), body)
        return Response({"diff": [f"{line.sign} {line.text}" for line in lines]})

    def _edit(self, id_: str, asked: Edit) -> Verdict:
        with refusing():
            return edit_and_replay(id_, text_of(asked.body), self.by(), asked.reason)


def place_in(parameters: Mapping[str, str]) -> newest_first.Place | None:
    """The failed message behind which the page begins that is asked for. Raises Refusal."""
    if "cursor" not in parameters:
        return None
    place = newest_first.place_of(parameters["cursor"], query_string.TITLE)
    if record_id(place.id) is None:
        raise cursor.refused(query_string.TITLE)
    return place


def without(parameters: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name not in names}


def _message(id_: str) -> FailedMessage:
    record = FailedMessage.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if record is None:
        raise Http404
    return record
