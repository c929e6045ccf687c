"""Deaths by the hour, as trends and charts count them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from failed_messages.records.collection import failure_counts

#: As every release has stored them; what another program wrote otherwise counts for nothing.
COUNTABLE = {"deaths": {"$type": ["int", "long"]}, "service": {"$type": "string"}}


def counts_since(first: datetime, **wanted: Any) -> Iterator[dict[str, Any]]:
    """The counts from that hour on, of the groups that are `wanted`, or of all."""
    of_groups = {"group": {"$type": "string"}, **wanted}
    return failure_counts().find({"hour": {"$gte": first}, **COUNTABLE, **of_groups})
