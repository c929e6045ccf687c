"""Edit and replay in the admin: the body is checked, the difference shown, the copy sent."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from failed_messages.acting.editing import InvalidEdit, check_edit, diff, edit_and_replay, editable
from failed_messages.acting.second_person import Waits
from failed_messages.admin.message_page import page_after, record_for
from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import FailedMessage
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.reading.representation import deaths
from failed_messages.records.permissions import TO_EDIT, lacking
from messaging.body import split_example
from messaging.storable import whole_text


class Editing(DeskAdmin):
    """The page of a message's body."""

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows the body to be edited; POST checks it, shows the difference, or replays."""
        record = record_for(request, object_id)
        if lacking(request.user, TO_EDIT):
            raise PermissionDenied
        if request.method != "POST":
            return self._edit_page(request, record, editable(bytes(record.body)))
        # A browser ends lines as MIME does.
        body = request.POST.get("body", "").replace("\r\n", "\n")
        try:
            check_edit(vars(record), body)
            if request.POST.get("what") == "replay":
                return self._replay_edited(request, record, body)
        except (InvalidEdit, ReasonMissing) as error:
            return self._edit_page(request, record, body, error=str(error))
        except Waits as waits:
            return self.told_to_wait(request, waits)
        return self._edit_page(request, record, body, lines=diff(bytes(record.body), body))

    def _replay_edited(
        self, request: HttpRequest, record: FailedMessage, body: str
    ) -> HttpResponse:
        by, reason = request.user.get_username(), request.POST.get("reason", "")
        verdict = edit_and_replay(record.pk, body, by, reason)
        is_copy = verdict.id != str(record.pk)
        what = f"Edited copy {verdict.id}" if is_copy else f"Nothing was edited, {verdict.id} stays"
        level = messages.SUCCESS if verdict.done else messages.ERROR
        self.message_user(request, f"{what}: {verdict.detail}.", level)
        return HttpResponseRedirect(page_after([verdict.id]))

    def _edit_page(
        self, request: HttpRequest, record: FailedMessage, body: str, **context: Any
    ) -> HttpResponse:
        wrong, example = split_example(deaths(record)[0].message)
        return self.page(
            request,
            "edit",
            title="Edit and replay",
            record=record,
            body=body,
            reason=request.POST.get("reason", ""),
            wrong=wrong,
            example=_indented(example, record.order_id),
            back_url=page_after([str(record.pk)]),
            **context,
        )


def _indented(example: str, order_id: str) -> str:
    """The right body, with the message's order; as it is where it is not JSON, as it may be cut."""
    try:
        body = json.loads(example)
    except (ValueError, RecursionError):
        return example
    if isinstance(body, dict) and "orderId" in body and order_id:
        body["orderId"] = order_id
    return whole_text(json.dumps(body, indent=2, ensure_ascii=False))
