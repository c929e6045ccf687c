"""The second factor of local logins: codes of six digits that change with time (RFC 6238).

The time is MongoDB's: a code that was used is known by its step, on whichever machine it was used.
"""

from __future__ import annotations

import base64
import hmac
import logging
import secrets
import struct
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from failed_messages.records import audit
from ordersite.staff import audited
from ordersite.staff.models import SecondFactor
from runtime.decision_log import decided
from runtime.mongodb_clock import mongodb_now
from runtime.stored_documents import AWARE
from runtime.stored_secret import UnreadableSecret, decrypted, encrypted
from runtime.transactions import in_transaction

logger = logging.getLogger(__name__)

STEP_SECONDS = 30
DIGITS = 6
#: A phone's clock may be so many steps off, either way.
STEPS_OFF = 1
SECRET_BYTES = 20

#: Wrong codes before nobody may try for a while: six digits are guessed in a million tries.
WRONG_CODES = 5
#: From then on each wrong code doubles it, until a right one.
LOCKED_FOR = timedelta(minutes=5)
LONGEST_LOCK = timedelta(days=1)
#: As often it is doubled until it is longer than the longest one.
DOUBLINGS = 9

#: What apps show beside the code.
ISSUER = "ordersite"


def is_set_up(user: Any) -> bool:
    """Whether the user's logins need a code."""
    return factors().find_one({"_id": user.pk, "confirmed": True}, {"_id": True}) is not None


def is_needed(user: Any) -> bool:
    """Whether a password alone does not let the user in."""
    return settings.SECOND_FACTOR_REQUIRED or is_set_up(user)


def is_missing(user: Any, session: Mapping[str, Any]) -> bool:
    """Whether somebody is in with a password alone where that is not enough."""
    if not settings.SECOND_FACTOR_REQUIRED or not user.is_authenticated:
        return False
    by_provider = session.get("_auth_user_backend", "").endswith(".SignOn")
    return not by_provider and not is_set_up(user)


def begin(user: Any) -> str:
    """Make a secret for the user, which counts once they have confirmed it; returns its address.

    It is for a phone's app, which takes the address as a QR code, or the secret in it by hand.
    """
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    new = {
        "secret": encrypted(secret),
        "confirmed": False,
        "last_step": 0,
        "wrong": 0,
        "wrong_at": None,
    }
    factors().update_one({"_id": user.pk, "confirmed": {"$ne": True}}, {"$set": new}, upsert=True)
    label = quote(f"{ISSUER}:{user.get_username()}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={ISSUER}"


def confirm(user: Any, code: str) -> bool:
    """Have the user's logins need a code from now on, if this one is right."""
    if not verify(user, code):
        return False
    name = user.get_username()

    def carry_out(session: ClientSession) -> None:
        change = {"$set": {"confirmed": True}}
        if factors().update_one({"_id": user.pk}, change, session=session).modified_count:
            audit.note(session, "set up second factor", audit.USER, name, by=name)

    in_transaction(carry_out)
    return True


def remove(user: Any, *, by: str) -> bool:
    """Let the user log in without a code; returns whether they needed one."""

    def carry_out(session: ClientSession) -> bool:
        removed = factors().delete_one({"_id": user.pk}, session=session).deleted_count
        if removed:
            name = user.get_username()
            audit.note(session, "remove second factor", audit.USER, name, by=by)
        return bool(removed)

    return in_transaction(carry_out)


def verify(user: Any, code: str) -> bool:
    """Whether the code is the user's, now, and was not used before.

    A code counts as a wrong one before it is tried, and of several at one moment one is tried.
    """
    factor = factors().find_one({"_id": user.pk})
    if factor is None or _is_locked(factor):
        return False
    try:
        secret = decrypted(factor["secret"])
    except UnreadableSecret as error:
        logger.error("The code of %s is not taken. %s", user.get_username(), error)
        return False
    if not _count(factor):
        return False
    step = _matching_step(secret, code.replace(" ", ""))
    used = step is not None and (
        factors()
        .update_one(
            {"_id": user.pk, "secret": factor["secret"], "last_step": {"$lt": step}},
            {"$set": {"last_step": step, "wrong": 0}},
        )
        .modified_count
    )
    if not used and (locked_for := lock_after(factor["wrong"] + 1)):
        _tell(user, factor["wrong"] + 1, locked_for)
    return bool(used)


def code_of(secret: str, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def _matching_step(secret: str, code: str) -> int | None:
    now = int(mongodb_now().timestamp()) // STEP_SECONDS
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode("utf-8", "replace")):
            return step
    return None


def lock_after(wrong: int) -> timedelta:
    """For how long no code is taken after so many wrong ones."""
    if wrong < WRONG_CODES:
        return timedelta()
    lock: timedelta = LOCKED_FOR * 2 ** min(wrong - WRONG_CODES, DOUBLINGS)
    return min(lock, LONGEST_LOCK)


def _is_locked(factor: dict[str, Any]) -> bool:
    lock = lock_after(factor["wrong"])
    return bool(lock) and mongodb_now() - factor["wrong_at"] < lock


def _count(factor: dict[str, Any]) -> bool:
    """Whether no other code was counted since the factor was read."""
    as_read = {"_id": factor["_id"], "wrong": factor["wrong"]}
    change = {"$inc": {"wrong": 1}, "$set": {"wrong_at": mongodb_now()}}
    return bool(factors().update_one(as_read, change).modified_count)


def _tell(user: Any, wrong: int, locked_for: timedelta) -> None:
    """Whoever sends the codes has the password, or is logged in."""
    name, minutes = user.get_username(), locked_for // timedelta(minutes=1)
    reason = f"after {wrong} wrong codes no code is taken for {minutes} minutes"
    decided("lock_second_factor", by=name, allowed=False, kind="authentication", reason=reason)
    audited.note("lock", user, by=name, after={"minutes": minutes, "wrong codes": wrong})


def factors() -> Collection[dict[str, Any]]:
    """The collection, its dates aware."""
    collection: Collection[dict[str, Any]] = connection.database.get_collection(
        SecondFactor._meta.db_table, codec_options=AWARE
    )
    return collection
