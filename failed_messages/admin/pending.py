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
from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import PendingAct
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
        about = _about(arguments)
        return self.page(
            request,
            "pending",
            title=str(act),
            act=act,
            about=about[:SHOWN],
            more=len(about[SHOWN:]),
            arguments=json.dumps(arguments, indent=2, ensure_ascii=False),
            obstacle=obstacle,
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


def _about(arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """What the act is about, in words, and where it is: messages, or a list of them."""
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
    ids = arguments["ids"] if "ids" in arguments else [arguments["id"]]
    change = "admin:failed_messages_failedmessage_change"
    return [(each, reverse(change, args=[each])) for each in ids]
