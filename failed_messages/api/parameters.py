"""The parameters in the addresses of the desk's lists, for their clients."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from failed_messages.models import REASON_LABELS, GroupStatus, Status
from failed_messages.reading.filters import DURATION_PATTERN, MOST_CHARACTERS
from messaging.service import services
from runtime.requests.cursor import Cursor
from runtime.requests.newest_first import Limit

Text = Annotated[str, Meta(max_length=MOST_CHARACTERS, pattern=r"\S")] | UnsetType
Age = (
    Annotated[
        str,
        Meta(pattern=DURATION_PATTERN, description="Such as 15m, 24h or 7d.", examples=["24h"]),
    ]
    | UnsetType
)


class MessageFilters(Struct, rename="camel"):
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


class GroupFilters(Struct, rename="camel"):
    """As `failed_messages.api.groups.CHOICES`, with the page."""

    service: Literal[*services()] | UnsetType = UNSET  # type: ignore[valid-type]
    status: Literal[*GroupStatus.values] | UnsetType = UNSET  # type: ignore[valid-type]
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET
