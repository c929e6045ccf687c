"""`Authorization: Bearer …`: the caller of an API key or an access token (RFC 6750)."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import pymongo
from django.conf import settings
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from ordersite.access import keys, tokens
from ordersite.access.models import ApiKey
from ordersite.access.refused import refused
from ordersite.access.remembered import Remembered
from ordersite.access.scopes import allowed
from runtime.mongodb_clock import about_now
from runtime.requests.caller import Caller, Unauthenticated
from runtime.requests.deadline import ANSWER_SECONDS

SCHEME = b"bearer"
MOST_CHARACTERS = 8_192

#: Whose key has no other scope is still known while MongoDB does not answer, so that metrics and
#: readiness tell of it …
WITHOUT_DATABASE = {"pipeline:read"}
#: … for so long after it was found out. So long a client is also counted as itself, before it is
#: found out again.
LATELY_SECONDS = 3_600

remembered = Remembered()

#: Finds out again who is still known, so that no request waits for it. All of a busy client's
#: requests would, each for itself, at the moment when its time is over.
_again = ThreadPoolExecutor(1, thread_name_prefix="callers")


def caller(header: str) -> Caller:
    """Whose key or token the header has.

    Raises:
        Unauthenticated: it is not a known key, or it ended.
        pymongo.errors.PyMongoError, DatabaseError: MongoDB did not answer.
    """
    if len(header) > MOST_CHARACTERS:
        raise refused("the header is too long")
    token = token_of(header.encode("latin1"))
    return known(token) or found_out(token.decode("latin1"), digest_of(token))


def found_out(token: str, digest: bytes) -> Caller:
    """The token's caller, asked of MongoDB or of the issuer's keys. Raises what `caller` does."""
    try:
        found, ends_at = of_key(token) if token.startswith(keys.PREFIX) else tokens.read(token)
    except Unauthenticated:
        # Nor is it counted by its name any more.
        remembered.drop(digest)
        raise
    except (PyMongoError, DatabaseError):
        last = remembered.last(digest, LATELY_SECONDS)
        if last is None or last.scopes != WITHOUT_DATABASE:
            raise
        return last
    remembered.keep(digest, found, seconds_until(ends_at))
    return found


def known_caller(header: bytes) -> Caller | None:
    """Who was found by this header a moment ago; None where `caller` has to be asked."""
    token = token_of(header)
    return known(token) if token else None


def last_caller(header: bytes) -> Caller | None:
    """Who was found by this header lately. They may have been refused since."""
    token = token_of(header)
    return remembered.last(digest_of(token), LATELY_SECONDS) if token else None


def token_of(header: bytes) -> bytes:
    """The token; empty where there is none. The scheme is taken in any letter case, and with any
    number of spaces behind it (RFC 9110, section 11.4), by whoever asks: rates, both ways in.
    """
    scheme, _, token = header.partition(b" ")
    is_bearer = scheme.lower() == SCHEME and len(header) <= MOST_CHARACTERS
    return token.strip(b" ") if is_bearer else b""


def known(token: bytes) -> Caller | None:
    """Who was found by this token a moment ago."""
    digest = digest_of(token)
    caller, is_due = remembered.get(digest)
    if is_due:
        _again.submit(find_again, token.decode("latin1"), digest)
    return caller


def find_again(token: str, digest: bytes) -> None:
    """Remember the caller for another while, unless its token has ended."""
    # Who comes next, or when the caller's time is over, is told of what is wrong.
    with suppress(Unauthenticated, PyMongoError, DatabaseError, tokens.IssuerAway):
        found_out(token, digest)


def of_key(key: str) -> tuple[Caller, datetime | None]:
    """The caller of an API key, and when the key ends. Raises Unauthenticated."""
    with pymongo.timeout(ANSWER_SECONDS):
        record = keys.find(key)
        if record is None:
            raise refused("the key is unknown")
        if record.state != "active":
            raise refused(f"the key is {record.state}")
        keys.note_use(record)
    return caller_of_key(record), record.expires_at


def caller_of_key(record: ApiKey) -> Caller:
    return Caller(
        id=f"key:{record.client}",
        name=keys.name_of(record),
        scopes=allowed(record.scopes, record.user_id),
        user_id=record.user_id,
        rate=record.rate,
        ends_at=record.expires_at,
    )


def seconds_until(ends_at: datetime | None) -> float:
    """How long a caller is remembered: `REVOKED_WITHIN_SECONDS`, and never past its end."""
    most: float = settings.REVOKED_WITHIN_SECONDS
    return most if ends_at is None else min(most, (ends_at - about_now()).total_seconds())


def digest_of(token: bytes) -> bytes:
    """What is remembered in place of the token, so that no memory dump has it."""
    return hashlib.sha256(token).digest()
