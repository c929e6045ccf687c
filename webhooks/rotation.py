"""An endpoint's secrets: one, and while a rotation lasts the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from runtime.signed_webhook import new_secret
from runtime.stored_secret import decrypted, encrypted

#: At once: with more, rotations would make a header without end.
MOST_SECRETS = 5
#: For how long the secret before a new one signs beside it, where its owner asks for no other time.
OVERLAP_HOURS = 24
#: For so long a client that heard no answer may repeat its request and be shown the secret.
SHOWN_FOR = timedelta(minutes=10)
MOST_OVERLAP_HOURS = 24 * 7


def first(now: datetime) -> dict[str, Any]:
    """A new secret, as it is stored."""
    return {"value": encrypted(new_secret()), "created_at": now, "expires_at": None}


def rotated(
    secrets: Iterable[Mapping[str, Any]], now: datetime, overlap: timedelta
) -> list[dict[str, Any]]:
    """A new one before the others, of which each is valid for `overlap` yet, or as long as it was.

    What was sent under several names is signed with each, so that its receiver may change to the
    new secret at any moment of the overlap.
    """
    end = now + overlap
    still = [
        {**each, "expires_at": min(each["expires_at"] or end, end)}
        for each in secrets
        if overlap and is_valid(each, now)
    ]
    return [first(now), *still][:MOST_SECRETS]


def valid(secrets: Iterable[Mapping[str, Any]], now: datetime) -> list[str]:
    """Those that sign now, the newest first.

    Raises:
        UnreadableSecret: one of them cannot be decrypted.
    """
    return [decrypted(each["value"]) for each in secrets if is_valid(each, now)]


def newest(secrets: Sequence[Mapping[str, Any]]) -> str:
    """As its owner is shown it, once. Raises UnreadableSecret."""
    return decrypted(secrets[0]["value"])


def is_shown(endpoint: Mapping[str, Any], now: datetime) -> bool:
    """Whether the request that made the endpoint, and a repeat of it, is shown the secret.

    Not for ever: whoever gets hold of the request would be shown it, and those of all rotations.
    """
    made_at: datetime = endpoint["created_at"]
    was_rotated = endpoint["secrets"][0]["created_at"] != made_at
    return not was_rotated and now - made_at < SHOWN_FOR


def is_valid(secret: Mapping[str, Any], now: datetime) -> bool:
    return secret["expires_at"] is None or secret["expires_at"] > now
