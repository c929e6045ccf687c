"""A filter of failed messages: the same words in the admin's URL, the API and the command line.

service=billing&status=failed&newerThan=24h&error=timed+out
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from failed_messages.models import REASON_LABELS, Status
from failed_messages.records.collection import failed_messages
from failed_messages.records.invalid_request import Invalid
from messaging.order_id import canonical, object_id
from messaging.service import services
from runtime.mongodb_clock import mongodb_now
from runtime.requests.text import fault_in

#: No death is later. MongoDB uses an index's later fields only where the query has its first.
LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
#: Of an age or a delay: a number with its unit. Also in the API's description.
DURATION_PATTERN = "^[0-9]{1,9}[smhd]$"
_DURATION = re.compile(DURATION_PATTERN)


#: The oldest that anything here is; a date so many days ago is one on any calendar.
MOST_DAYS = 3_650
#: Of a value; whatever is looked for is shorter.
MOST_CHARACTERS = 1_000


class InvalidFilter(Invalid):
    """A parameter is unknown, or cannot have that value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is to be found; a field that is empty here asks for nothing."""

    service: str = ""
    type: str = ""
    reason: str = ""
    #: A group's fingerprint.
    group: str = ""
    status: str = ""
    order_id: str = ""
    user_id: str = ""
    message_id: str = ""
    #: Words of the exception or of the error's text.
    error: str = ""
    #: An order's, message's, user's or record's id; else words of the error.
    q: str = ""
    #: Since the latest death: `15m`, `24h`, `7d`.
    newer_than: str = ""
    older_than: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """Read a URL's parameters.

        Raises:
            InvalidFilter: one of them is unknown, or has a value that it cannot have.
        """
        unknown = sorted(set(parameters) - set(FIELDS))
        if unknown:
            fix = f"The parameters are {', '.join(FIELDS)}."
            raise InvalidFilter(
                unknown[0][:100], "must not be given: it is not a known parameter", fix
            )
        values = {FIELDS[name]: value.strip() for name, value in parameters.items()}
        for name, value in parameters.items():
            _check(name, value.strip())
        ids = {
            "group": values.get("group", "").lower(),
            "order_id": canonical(values.get("order_id", "")),
        }
        return cls(**values | ids)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read `service=billing&reason=expired`. Raises InvalidFilter."""
        try:
            pairs = parse_qsl(
                text, keep_blank_values=True, strict_parsing=bool(text), errors="strict"
            )
        except ValueError as error:
            raise InvalidFilter("filter", "must be name=value pairs", FILTER_FIX) from error
        return cls.of(_once(pairs))

    def parameters(self) -> dict[str, str]:
        """As a URL's parameters, without what asks for nothing."""
        return {
            name: getattr(self, field) for name, field in FIELDS.items() if getattr(self, field)
        }

    def __str__(self) -> str:
        return urlencode(self.parameters())

    def query(self, at: datetime | None = None) -> dict[str, Any]:
        """As a MongoDB query; every value in it is text or a time, never an operator.

        `at` is when ages are counted from: now, unless it is given.
        """
        if at is None and (self.newer_than or self.older_than):
            at = mongodb_now()
        conditions = list(self._conditions(at))
        return {"$and": conditions} if conditions else {}

    def _conditions(self, at: datetime | None) -> Iterator[dict[str, Any]]:
        for name in ("service", "type", "reason", "status", "order_id", "user_id", "message_id"):
            if value := getattr(self, name):
                yield {name: value}
        if self.group:
            yield {"fingerprint": self.group}
        if self.error:
            yield says(self.error)
        if self.q:
            yield named(self.q) or says(self.q)
        if at and self.newer_than:
            yield {"last_failed_at": {"$gte": at - duration(self.newer_than)}}
        if at and self.older_than:
            yield {"last_failed_at": {"$lt": at - duration(self.older_than)}}


#: The parameter's name -> the field's.
FIELDS = {
    re.sub(r"_(\w)", lambda match: match[1].upper(), field.name): field.name
    for field in fields(Filter)
}

FILTER_FIX = "Write it as service=billing&status=failed, percent-encoded in UTF-8."

CHOICES = {"service": list(services()), "reason": list(REASON_LABELS), "status": Status.values}


def duration(text: str) -> timedelta:
    """`15m` as a time. Raises ValueError: it is not a duration, or longer than `MOST_DAYS`."""
    is_one = _DURATION.fullmatch(text) is not None
    span = timedelta(**{UNITS[text[-1]]: int(text[:-1])}) if is_one else None
    if span is None or span > timedelta(days=MOST_DAYS):
        raise ValueError(
            f"must be a number with s, m, h or d, e.g. 15m, 24h or 7d, at most {MOST_DAYS}d"
        )
    return span


def says(words: str) -> dict[str, Any]:
    """Whose error has these words, whatever their case."""
    said = {"$regex": re.escape(words), "$options": "i"}
    return {"last_failed_at": {"$lte": LAST_DAY}, "error_text": said}


def index_of(query: dict[str, Any]) -> str | None:
    """The index that `Filter.query` has to be given as a hint, if any.

    The one with the errors' words: MongoDB would read every document for them.
    """
    return "newest" if any("error_text" in each for each in query.get("$and", [])) else None


def named(id_: str) -> dict[str, Any] | None:
    """Which are of this order, message or user; None where there is none."""
    names: list[dict[str, Any]] = [
        {"order_id": canonical(id_)},
        {"message_id": id_},
        {"user_id": id_},
    ]
    if key := object_id(id_):
        names.append({"_id": key})
    wanted = {"$or": names}
    return wanted if failed_messages().find_one(wanted, {"_id": True}) else None


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Raises InvalidFilter: a parameter is there twice."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise InvalidFilter(name[:100], "must be given once, and is there twice", FILTER_FIX)
        values[name] = value
    return values


def _check(name: str, value: str) -> None:
    # Else all would be found where a script has no value for what it wants to find.
    if not value:
        raise InvalidFilter(name, "must not be empty", "Send a value, or leave it out.")
    if fault := fault_in(value):
        raise InvalidFilter(name, fault, "Send the words without it.")
    if len(value) > MOST_CHARACTERS:
        detail = f"must have at most {MOST_CHARACTERS:,} characters"
        raise InvalidFilter(name, detail, "Send fewer of the words.")
    if value not in CHOICES.get(name, [value]):
        choices = ", ".join(CHOICES[name])
        raise InvalidFilter(name, f"must be one of {choices}", "Send one of them, or leave it out.")
    if name in ("newerThan", "olderThan"):
        try:
            duration(value)
        except ValueError as error:
            raise InvalidFilter(name, str(error), "Send such an age, or leave it out.") from error
