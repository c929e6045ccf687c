"""Who is logged in to the admin, and with which session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from ordersite.staff.session_store import stored_key


def end_others(user: Any, kept: str | None) -> int:
    """Log the user out everywhere but in the session with the key `kept`.

    A session does not say whose it is, so all are read: there is one for each member of the staff
    who is logged in.

    Returns: how many sessions it ended.
    """
    theirs = [
        each.session_key
        for each in Session.objects.exclude(session_key=kept and stored_key(kept)).iterator()
        if each.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    for key in theirs:
        Session.objects.filter(session_key=key).delete()
    return len(theirs)
