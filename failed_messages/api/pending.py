"""Acts that wait for a second person, over HTTP."""

from __future__ import annotations

from bson import ObjectId
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from failed_messages.acting.approving import NEEDED, NotDecided, approve, reject
from failed_messages.api import operations
from failed_messages.api.bodies import NOTHING
from failed_messages.api.refusals import Conflict
from failed_messages.api.view import DISCARD, EDIT, READ, REPLAY, DeskView
from failed_messages.models import PendingAct
from failed_messages.reading.representation import pending_json
from failed_messages.records import permissions
from messaging.readable_records import listed
from runtime.requests import newest_first

DECISIONS = {"approve": approve, "reject": reject}
SCOPES = {permissions.EDIT: EDIT, permissions.REPLAY: REPLAY, permissions.DISCARD: DISCARD}


class PendingActsView(DeskView):
    """GET /failed-messages/pending: the newest first."""

    operations = {"GET": operations.LIST_PENDING}

    def get(self, request: Request) -> Response:
        found = newest_first.page(request, PendingAct.objects.all(), "at")
        shown = listed(found.records, pending_json, lambda each: f"pending act {each.pk}")
        return Response({"items": shown, "next": found.next})


class DecisionView(DeskView):
    """POST /failed-messages/pending/ID/approve, …/reject: with the scopes of the act."""

    scopes = {"POST": READ}
    operations = {"POST": operations.DECIDE}

    def post(self, request: Request, id_: str, what: str) -> Response:
        NOTHING.of(request)
        known = PendingAct.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
        if known is None or what not in DECISIONS:
            raise Http404
        self.require(*(SCOPES[each] for each in NEEDED[known.act]))
        if what == "approve" and not request.user.is_authenticated:
            # Whoever asked may hold it, or the one that it was rotated to.
            raise Conflict("A key is not a person: a member of the staff has to approve it.")
        try:
            DECISIONS[what](known.pk, self.by())
        except NotDecided as error:
            raise Conflict(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
        known.refresh_from_db()
        return Response(pending_json(known))
