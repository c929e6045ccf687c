"""What the views of the desk's API have in common."""

from __future__ import annotations

from rest_framework.views import APIView

from runtime.requests.caller import caller_of

READ = "failed-messages:read"
REPLAY = "failed-messages:replay"
EDIT = "failed-messages:edit"
DISCARD = "failed-messages:discard"
TRIAGE = "failed-messages:triage"


class DeskView(APIView):
    """A view of the desk."""

    #: The scope of each method; `failed_messages.urls` says another one where it differs.
    scopes = {"GET": READ, "POST": REPLAY, "DELETE": REPLAY}

    def by(self) -> str:
        """Who acts, for the audit log."""
        return caller_of(self.request).name
