"""Finding failed messages by what an operator has at hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from failed_messages.collection import failed_messages
from failed_messages.filters import named

#: The newest matches; who gets as many has to say more.
MATCHES_LIMIT = 1_000

#: No death is later, so that the whole index matches.
LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)


def search(words: str) -> list[ObjectId]:
    """The records of one order, message or user; else those whose error says `words`.

    Returns: ids without an order; of very many, the `MATCHES_LIMIT` newest.
    """
    return _by_id(words) or _by_error(words)


def _by_id(id_: str) -> list[ObjectId]:
    wanted = named(id_)
    return _ids(failed_messages().find(wanted, {"_id": True})) if wanted else []


def _by_error(words: str) -> list[ObjectId]:
    return [*_by_text("exception", words), *_by_text("message", words)]


def _by_text(field: str, words: str) -> list[ObjectId]:
    """Reads the index `newest` and no document; with both fields in an `$or` MongoDB reads all."""
    says = {"$regex": re.escape(words), "$options": "i"}
    found = failed_messages().find(
        {"last_failed_at": {"$lte": LAST_DAY}, field: says}, {"_id": True}
    )
    return _ids(found.hint("newest"))


def _ids(cursor: Any) -> list[ObjectId]:
    return [document["_id"] for document in cursor.limit(MATCHES_LIMIT)]
