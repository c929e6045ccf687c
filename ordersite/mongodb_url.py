"""MONGODB_URL: which of PyMongo's options it may change, and whether PyMongo can work with it."""

from __future__ import annotations

import warnings
from typing import Any
from urllib.parse import parse_qsl

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from runtime import stored_documents
from runtime.database_url import split
from runtime.url_text import check_characters, check_host

SCHEMES = ("mongodb://", "mongodb+srv://")

#: Where the URL says nothing else.
DEFAULTS = {
    # A client that meets a lost database gets its 503 within 3 s.
    "serverSelectionTimeoutMS": 2_000,
    "connectTimeoutMS": 2_000,
    "socketTimeoutMS": 10_000,
    # More than ever work at once in one process; who waits for longer gets a 503, too.
    "maxPoolSize": 100,
    "waitQueueTimeoutMS": 2_000,
    # Who it is, in MongoDB's log and list of operations; the URL may name each process.
    "appName": "ordersite",
}
#: They override the URL.
FIXED = {
    # An order answered with 201 outlives the loss of the primary.
    "w": "majority",
    "journal": True,
    "retryWrites": True,
    # What was just written is read, not what a secondary has of it.
    "readPreference": "primary",
    # The backend makes datetimes aware itself, and fails on aware ones. Raw collections
    # ask for theirs: get_collection(name, codec_options=runtime.stored_documents.AWARE).
    "tz_aware": False,
    **stored_documents.OPTIONS,
}
#: Others would fail at each read, or read what is rolled back later.
READ_CONCERNS = ("local", "majority")


def options(url: str) -> dict[str, Any]:
    """The options of a client beside the URL; PyMongo lets them win over it."""
    named = {name.lower() for name, _ in parse_qsl(split(url).query, keep_blank_values=True)}
    return {name: value for name, value in DEFAULTS.items() if name.lower() not in named} | FIXED


def check(url: str) -> None:
    """Let PyMongo read it; nothing is connected and no name is resolved.

    Raises:
        ValueError: what is wrong with it, for the operator.
    """
    check_characters(url)
    if not url.startswith(SCHEMES):
        raise ValueError(f"it must be a URL that starts with {SCHEMES[0]} and a host.")
    try:
        with warnings.catch_warnings():
            # It would go on without an option that it can't read.
            warnings.simplefilter("error")
            client = MongoClient[dict[str, Any]](url, connect=False, **options(url))
    except (PyMongoError, ValueError, TypeError, LookupError, OSError, Warning) as error:
        raise ValueError(f"{_reason(url, error)}.") from error
    client.close()
    for host in split(url).netloc.rpartition("@")[2].split(","):
        check_host(host.rpartition(":")[0] or host)
    if client.read_concern.level not in (None, *READ_CONCERNS):
        raise ValueError(f"readConcernLevel must be {' or '.join(READ_CONCERNS)}.")


def _reason(url: str, error: Exception) -> str:
    if url.partition("@")[2] and "@" in str(error):
        # Its words would repeat a part of the password.
        return "in its login / ? # @ : must be written as %2F %3F %23 %40 %3A"
    return str(error).rstrip(".")
