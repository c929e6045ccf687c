"""The desk's own permissions."""

from __future__ import annotations

from typing import Any

VIEW = "view_failedmessage"
REPLAY = "replay_failedmessage"
EDIT = "edit_failedmessage"
DISCARD = "discard_failedmessage"
TRIAGE = "change_failuregroup"


def may(user: Any, permission: str) -> bool:
    """Whether the user has it."""
    return bool(user.has_perm(f"failed_messages.{permission}"))


def lacks(permission: str) -> str:
    """What a button, or an answer, says to a user without it."""
    return f"You lack the permission failed_messages.{permission}."
