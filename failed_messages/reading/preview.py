"""What a replay will do, before it does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from failed_messages.models import Status
from failed_messages.reading.answers import ReplayPreview
from failed_messages.reading.filters import Filter, index_of
from failed_messages.reading.known_group import require_known
from failed_messages.reading.next_step import Kind, fails_again, warns
from failed_messages.reading.staleness import moved_on
from failed_messages.records.collection import failed_messages
from failed_messages.records.order_facts import order_facts, value
from runtime.plural import counted

#: More messages than these are counted, and their orders are not read.
MESSAGES_CHECKED = 10_000


@dataclass(frozen=True, slots=True)
class Preview:
    """What a replay of several messages amounts to."""

    messages: int
    #: Messages, by the service that they go to.
    services: dict[str, int]
    #: Messages, by what decides what is to be done about them.
    kinds: dict[Kind, int]
    orders: int
    #: `4,210.00 EUR`; empty where no order is known.
    value: str
    #: Messages whose order was cancelled since.
    cancelled: int
    #: Messages whose order has changed otherwise: they go only if there is a reason.
    stale: int
    #: Messages of which only the body's beginning was kept.
    cut: int
    #: Messages whose document another program has made unlike what is stored here.
    unreadable: int
    #: True where there are more messages than were read.
    at_least: bool

    @property
    def wrong(self) -> int:
        """Messages that fail again as they are."""
        return sum(count for kind, count in self.kinds.items() if fails_again(kind.reason))

    @property
    def warns(self) -> bool:
        """Whether every one of them fails again, or kills another worker."""
        warned = sum(count for kind, count in self.kinds.items() if warns(kind.reason))
        return 0 < warned == self.messages

    def sentences(self) -> list[str]:
        """For an operator who is about to replay."""
        return [sentence for sentence in self._sentences() if sentence]

    def json(self) -> ReplayPreview:
        """For scripts."""
        return {
            "messages": self.messages,
            "services": self.services,
            "orders": self.orders,
            "value": self.value,
            "leftOut": {
                "cancelled": self.cancelled,
                "stale": self.stale + self.unreadable,
                "cut": self.cut,
            },
            "isAtLeast": self.at_least,
            "sentences": self.sentences(),
        }

    def _sentences(self) -> Iterable[str]:
        targets = " and ".join(f"{n:,} to {service}" for service, n in self.services.items())
        only = f": {targets}" if len(self.services) > 1 else f" to {next(iter(self.services), '')}"
        yield f"{counted(self.messages, 'message')}{only if self.services else ''} only."
        yield "What other services have done is not affected."
        about = f"At least {self.orders:,}" if self.at_least else f"{self.orders:,}"
        worth = f", worth {self.value}" if self.value else ""
        yield f"{about} order{'' if self.orders == 1 else 's'}{worth}." if self.orders else ""
        if self.cancelled:
            yield f"{counted(self.cancelled, 'order')} cancelled since: left out."
        if self.stale:
            yield (
                f"{counted(self.stale, 'message')} whose order has changed since: left out, "
                "unless you give a reason."
            )
        if self.wrong:
            least = "At least " if self.at_least else ""
            fail = "fails" if self.wrong == 1 else "fail"
            yield f"{least}{counted(self.wrong, 'message')} {fail} again in the same way."
        if self.cut:
            yield f"{counted(self.cut, 'message')} too large, and stored only in part: left out."
        if self.unreadable:
            yield (
                f"{counted(self.unreadable, 'message')} whose document is not as this release "
                "stores one: what would become of it is not known, and keeps no other one."
            )


def preview(selection: Filter) -> Preview:
    """What replaying all failed messages that match would do.

    Raises:
        UnknownGroup: the selection names a failure group that is none.
    """
    require_known(selection)
    wanted, hint = by_index(selection)
    records = failed_messages().find(wanted, _FIELDS, **hint).limit(MESSAGES_CHECKED)
    return _preview(list(records), how_many(selection))


def how_many(selection: Filter) -> int:
    """How many messages match and are failed now."""
    wanted, hint = by_index(selection)
    return failed_messages().count_documents(wanted, **hint)


def by_index(selection: Filter) -> tuple[dict[str, Any], dict[str, Any]]:
    """The query of `failed_only`, and the hint that it needs."""
    wanted = failed_only(selection)
    return wanted, ({"hint": index} if (index := index_of(wanted)) else {})


def preview_of(ids: list[Any]) -> Preview:
    """What replaying these messages would do."""
    wanted = {"_id": {"$in": ids}, "status": Status.FAILED}
    records = list(failed_messages().find(wanted, _FIELDS))
    return _preview(records, len(records))


def failed_only(selection: Filter, at: Any = None) -> dict[str, Any]:
    """The query of those that match and are failed now."""
    query = selection.query(at)
    return {"$and": [*query.get("$and", []), {"status": Status.FAILED}]}


def failed_until(at: datetime) -> dict[str, Any]:
    """The query of those whose latest death was there by then, by MongoDB's clock.

    The time of the death itself is its worker's; an earlier release kept no other.
    """
    earlier_release = {"archived_at": None, "last_failed_at": {"$lte": at}}
    return {"$or": [{"archived_at": {"$lte": at}}, earlier_release]}


#: What is read of each, and what it is in a document that this release stores.
_TYPES = {
    **dict.fromkeys(("service", "order_id", "type", "reason", "headers"), str),
    "body_cut": bool,
}
_FIELDS = dict.fromkeys(_TYPES, True)


def is_as_stored(record: Mapping[str, Any], types: Mapping[str, type]) -> bool:
    """Whether a document has these fields, each of its type."""
    return all(isinstance(record.get(name), type_) for name, type_ in types.items())


def _preview(found: list[dict[str, Any]], messages: int) -> Preview:
    records = [record for record in found if is_as_stored(record, _TYPES)]
    facts = order_facts(record["order_id"] for record in records)
    stale = moved_on(records, facts)
    cancelled = [each for each in records if each["_id"] in stale and stale[each["_id"]].cancelled]
    return Preview(
        messages=messages,
        services=dict(sorted(Counter(record["service"] for record in records).items())),
        kinds=Counter(Kind(each["service"], each["type"], each["reason"]) for each in records),
        orders=len({record["order_id"] for record in records if record["order_id"]}),
        value=value(facts.values()),
        cancelled=len({record["order_id"] for record in cancelled}),
        stale=len(stale) - len(cancelled),
        cut=sum(record["body_cut"] for record in records),
        unreadable=len(found) - len(records),
        at_least=messages > len(found),
    )
