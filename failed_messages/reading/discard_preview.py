"""What a discard of several messages costs, before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from failed_messages.models import Status
from failed_messages.reading.filters import Filter
from failed_messages.reading.known_group import require_known
from failed_messages.reading.preview import MESSAGES_CHECKED, by_index, how_many, is_as_stored
from failed_messages.records.collection import failed_messages
from failed_messages.records.order_facts import order_facts, value
from runtime.plural import counted

#: What is read of each, and what it is in a document that this release stores.
_TYPES = {"service": str, "order_id": str}
_FIELDS = dict.fromkeys(_TYPES, True)


@dataclass(frozen=True, slots=True)
class DiscardPreview:
    """Which messages it is about, and which orders wait for them."""

    messages: int
    #: Messages, by the service that gave them up.
    services: dict[str, int]
    #: Those of ours.
    orders: int
    #: `4,210.00 EUR`; empty where no order is known.
    value: str
    #: True where there are more messages than were read.
    at_least: bool

    def sentences(self) -> list[str]:
        """For an operator who is about to discard."""
        return [*self._sentences()]

    def _sentences(self) -> Iterator[str]:
        by_service = ", ".join(f"{count:,} of {name}" for name, count in self.services.items())
        of = f": {by_service}" if len(self.services) > 1 else f" of {next(iter(self.services), '')}"
        yield f"{counted(self.messages, 'message')}{of if self.services else ''}."
        if self.orders:
            least = "At least " if self.at_least else ""
            worth = f", worth {self.value}," if self.value else ""
            verb = "waits" if self.orders == 1 else "wait"
            yield f"{least}{counted(self.orders, 'order')}{worth} {verb} for what was to be done."
        else:
            yield "No order of ours waits for them."


def discard_preview(selections: Sequence[Filter]) -> DiscardPreview:
    """What discarding all failed messages that match one of these would do.

    Args:
        selections: no message matches two of them.

    Raises:
        UnknownGroup: one names a failure group that is none.
    """
    records: list[dict[str, Any]] = []
    for each in selections:
        require_known(each)
        wanted, hint = by_index(each)
        found = failed_messages().find(wanted, _FIELDS, **hint)
        records += found.limit(max(1, MESSAGES_CHECKED - len(records)))
    return _preview(records, sum(map(how_many, selections)))


def discard_preview_of(ids: Iterable[Any]) -> DiscardPreview:
    """What discarding these would do."""
    wanted = {"_id": {"$in": [*ids]}, "status": str(Status.FAILED)}
    records = list(failed_messages().find(wanted, _FIELDS))
    return _preview(records, len(records))


def _preview(found: list[dict[str, Any]], messages: int) -> DiscardPreview:
    records = [each for each in found if is_as_stored(each, _TYPES)]
    facts = order_facts(each["order_id"] for each in records)
    is_cut = messages > len(found)
    services = Counter(each["service"] for each in records)
    return DiscardPreview(
        messages=messages,
        # Of those that were read alone it would be no sum.
        services=dict(sorted(services.items())) if len(services) == 1 or not is_cut else {},
        orders=len(facts),
        value=value(facts.values()),
        at_least=is_cut,
    )
