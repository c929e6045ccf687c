"""Acts that wait for a second person, in the admin."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from failed_messages.acting.approving import NEEDED, NotDecided, approve, reject, why_not
from failed_messages.acting.second_person import BULK_DISCARD, BULK_REPLAY
from failed_messages.admin.confirmation import (
    MESSAGES_NAMED,
    named,
    told_before,
    told_before_replay,
)
from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import PendingAct, PendingState
from failed_messages.reading.act_result import record_id
from failed_messages.reading.discard_preview import discard_preview
from failed_messages.reading.filters import Filter
from failed_messages.reading.preview import preview
from failed_messages.records.invalid_request import Invalid
from failed_messages.records.permissions import lacking
from runtime.moment import exact

#: Of the messages that it is about.
SHOWN = 50
DECISIONS = {"approve": approve, "reject": reject}


@admin.register(PendingAct)
class PendingActAdmin(DeskAdmin):
    """What somebody asked for and another person has to approve."""

    list_display = ("when", "by", "act", "messages", "state", "decided_by", "outcome")
    list_display_links = ("when",)
    list_per_page = 50
    actions = None

    @admin.display(description="asked")
    def when(self, act: PendingAct) -> str:
        return exact(act.at)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """GET shows all of it; POST approves or rejects it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = PendingAct.objects.filter(pk=object_id) if ObjectId.is_valid(object_id) else None
        act = found.first() if found is not None else None
        if act is None:
            raise Http404("there is no such act")
        obstacle = lacking(request.user, NEEDED[act.act])
        if request.method == "POST":
            if obstacle:
                raise PermissionDenied
            return self._decide(request, act)
        obstacle = obstacle or why_not(act, request.user.get_username())
        arguments = json.loads(act.arguments)
        keys = [key for key in map(record_id, _ids(arguments)) if key]
        first = named(keys[:MESSAGES_NAMED])
        about = _about(arguments, {str(record.pk) for record, _ in first["named"]})
        return self.page(
            request,
            "pending",
            title=str(act),
            act=act,
            **first,
            about=about[:SHOWN],
            more=len(about[SHOWN:]),
            arguments=json.dumps(arguments, indent=2, ensure_ascii=False),
            obstacle=obstacle,
            **(_told(act, arguments, keys) if act.state == PendingState.WAITING else {}),
        )

    def _decide(self, request: HttpRequest, act: PendingAct) -> HttpResponse:
        decide = DECISIONS.get(request.POST.get("what", ""))
        if decide is None:
            raise Http404("approve or reject it")
        try:
            said = decide(act.pk, request.user.get_username())
        except NotDecided as error:
            self.message_user(request, f"Not done: {error}.", messages.ERROR)
        else:
            self.message_user(request, f"Decided: {said}.", messages.SUCCESS)
        return HttpResponseRedirect(request.path)


def _told(act: PendingAct, arguments: dict[str, Any], keys: list[Any]) -> dict[str, Any]:
    """What the person who asked was told before, as it is now."""
    try:
        if act.act == BULK_REPLAY:
            return told_before_replay(preview(Filter.of_text(arguments["selection"])))
        if act.act == BULK_DISCARD:
            selections = [Filter.of_text(each) for each in arguments["selections"]]
            return {"sentences": discard_preview(selections).sentences()}
    except Invalid:
        # Of a group that is gone since; to approve it does nothing then.
        return {}
    return told_before(act.act, keys)


def _about(arguments: dict[str, Any], named_ids: set[str]) -> list[tuple[str, str]]:
    """What else the act is about, in words, and where it is: messages, or a list of them."""
    single = [arguments["selection"]] if "selection" in arguments else []
    if selections := arguments.get("selections", single):
        messages_url = reverse("admin:failed_messages_failedmessage_changelist")
        return [("The messages that match", f"{messages_url}?{each}") for each in selections]
    if "seconds" in arguments:
        messages_url = reverse("admin:failed_messages_failedmessage_changelist")
        names = {"service": arguments["service"], "group": arguments["group"]}
        found = {name: value for name, value in names.items() if value}
        return [
            ("What it would replay, and all that follows", f"{messages_url}?{urlencode(found)}")
        ]
    change = "admin:failed_messages_failedmessage_change"
    others = [each for each in _ids(arguments) if each not in named_ids]
    return [(each, reverse(change, args=[each])) for each in others]


def _ids(arguments: dict[str, Any]) -> list[str]:
    """The messages that it names, if it does."""
    ids: list[str] = arguments["ids"] if "ids" in arguments else [arguments.get("id", "")]
    return [each for each in ids if each]
