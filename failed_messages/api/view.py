"""What the views of the desk's API have in common."""

from __future__ import annotations

from rest_framework.response import Response
from rest_framework.views import APIView

from failed_messages.acting.second_person import PersonUnknown, Waits
from failed_messages.problem_types import PERSON_UNKNOWN
from runtime.requests.caller import OutOfScope, caller_of
from runtime.requests.problem_type import Problem

READ = "failed-messages:read"
REPLAY = "failed-messages:replay"
EDIT = "failed-messages:edit"
DISCARD = "failed-messages:discard"
TRIAGE = "failed-messages:triage"


class NoPerson(Problem):
    """A key asks for what needs two persons."""

    problem_type = PERSON_UNKNOWN


class DeskView(APIView):
    """A view of the desk."""

    #: The scope of each method; `failed_messages.urls` says another one where it differs.
    scopes = {"GET": READ, "POST": REPLAY, "DELETE": REPLAY}

    def require(self, *scopes: str) -> None:
        """Raises OutOfScope: the caller lacks one that the act needs beside the view's own."""
        for scope in scopes:
            if not caller_of(self.request).may(scope):
                raise OutOfScope(scope)

    def handle_exception(self, exc: Exception) -> Response:
        """An act that a second person has to approve was taken, and is not done: 202."""
        if isinstance(exc, Waits):
            return Response({"pending": str(exc.id), "detail": f"{exc}."}, status=202)
        if isinstance(exc, PersonUnknown):
            exc = NoPerson(
                f"Nothing was done: {exc}. Ask for it in the admin, or with a login of your own."
            )
        return super().handle_exception(exc)

    def by(self) -> str:
        """Who acts, for the audit log."""
        return caller_of(self.request).name
