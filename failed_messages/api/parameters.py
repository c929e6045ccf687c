"""The parameters in the addresses of the desk's lists; anything else is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from failed_messages.models import REASON_LABELS, GroupStatus, Status
from failed_messages.reading.filters import CHOICES, DURATION_PATTERN, MOST_CHARACTERS
from messaging.service import services
from runtime.requests import newest_first, query_string
from runtime.requests.cursor import Cursor
from runtime.requests.newest_first import Limit

#: Not blank, and without a NUL.
TEXT_PATTERN = r"^[^\x00]*[^\s\x00][^\x00]*$"
Text = Annotated[str, Meta(max_length=MOST_CHARACTERS, pattern=TEXT_PATTERN)] | UnsetType
Age = (
    Annotated[
        str,
        Meta(pattern=DURATION_PATTERN, description="Such as 15m, 24h or 7d.", examples=["24h"]),
    ]
    | UnsetType
)


class MessageFilters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """As `failed_messages.reading.filters.Filter`, with the page."""

    service: Literal[*services()] | UnsetType = UNSET  # type: ignore[valid-type]
    type: Text = UNSET
    reason: Literal[*map(str, REASON_LABELS)] | UnsetType = UNSET  # type: ignore[valid-type]
    group: Text = UNSET
    status: Literal[*Status.values] | UnsetType = UNSET  # type: ignore[valid-type]
    order_id: Text = UNSET
    user_id: Text = UNSET
    message_id: Text = UNSET
    error: Annotated[Text, Meta(description="Words of the error.")] = UNSET
    q: Annotated[Text, Meta(description="An id, or words of the error.")] = UNSET
    newer_than: Age = UNSET
    older_than: Age = UNSET
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


class GroupFilters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Which groups, and the page."""

    service: Literal[*services()] | UnsetType = UNSET  # type: ignore[valid-type]
    status: Literal[*GroupStatus.values] | UnsetType = UNSET  # type: ignore[valid-type]
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


AGE_FIX = "Send a number with s, m, h or d, such as 24h, or leave it out."


def one_of(choices: Iterable[str]) -> str:
    return f"Send one of {', '.join(choices)}, or leave it out."


FIXES = {
    **dict.fromkeys(
        ("type", "group", "orderId", "userId", "messageId", "error", "q"),
        f"Send up to {MOST_CHARACTERS:,} characters, or leave it out.",
    ),
    **{name: one_of(known) for name, known in CHOICES.items()},
    **dict.fromkeys(("newerThan", "olderThan"), AGE_FIX),
    **newest_first.FIXES,
}
FIXES_OF_GROUPS = {**FIXES, "status": one_of(GroupStatus.values)}


def read_messages(parameters: Mapping[str, str]) -> MessageFilters:
    """Raises Refusal: a parameter is unknown or has no valid value; each is named."""
    return query_string.read(parameters, MessageFilters, query_string.TITLE, FIXES)


def read_groups(parameters: Mapping[str, str]) -> GroupFilters:
    """Raises Refusal: a parameter is unknown or has no valid value; each is named."""
    return query_string.read(parameters, GroupFilters, query_string.TITLE, FIXES_OF_GROUPS)
