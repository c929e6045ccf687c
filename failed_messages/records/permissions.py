"""The desk's own permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

VIEW = "view_failedmessage"
REPLAY = "replay_failedmessage"
EDIT = "edit_failedmessage"
DISCARD = "discard_failedmessage"
TRIAGE = "change_failuregroup"

#: An edit sends its copy, so it needs what a replay does.
TO_EDIT = (EDIT, REPLAY)


def may(user: Any, permission: str) -> bool:
    """Whether the user has it."""
    return bool(user.has_perm(f"failed_messages.{permission}"))


def lacking(user: Any, permissions: Iterable[str]) -> str:
    """What is said of the first that the user has not; empty where it has all."""
    return next((lacks(each) for each in permissions if not may(user, each)), "")


def lacks(permission: str) -> str:
    """What a button, or an answer, says to a user without it."""
    return f"You lack the permission failed_messages.{permission}."
