"""Orders that need attention, and why: the filters of the list, and the marks in it.

Orders knows what waits. What failed and what is unaccounted for is known to others, which the site
registers here at start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from messaging.handling import retry_notes
from messaging.order_id import object_id
from messaging.publishing.outbox import IS_PENDING
from messaging.service import answering, services
from orders import unanswered
from orders.collection import orders

#: A list shows the newest of more.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Need:
    """One reason to look at an order."""

    label: str
    #: The ids of such orders, as text, in any sequence.
    ids: Callable[[], Iterable[str]]
    #: Those of these that are such orders; None where the list does not mark them.
    among: Callable[[Collection[str]], Collection[str]] | None = None


def retrying_ids() -> Iterable[str]:
    return (each for order_ids in retry_notes.waiting().values() for each in order_ids)


def waiting_ids() -> Iterable[str]:
    return (each for service in answering() for each in unanswered.newest(service, MOST))


def pending_ids() -> Iterable[str]:
    found = orders().find(IS_PENDING, {"_id": True}).sort("pending_since", 1).limit(MOST)
    return (str(each["_id"]) for each in found)


def troubled_ids() -> Iterable[str]:
    return (each for name in TROUBLES if name in NEEDS for each in NEEDS[name].ids())


#: What somebody should look at, the worst first; the rest of NEEDS passes by itself.
TROUBLES = ("failed", "unaccounted", "retrying")

NEEDS: dict[str, Need] = {
    "attention": Need("attention: failed, unaccounted or retrying", troubled_ids),
    "retrying": Need("a retry", retrying_ids, retry_notes.among),
    "waiting": Need("an answer of a service", waiting_ids),
    "outbox": Need("the relay", pending_ids),
}


def register(name: str, need: Need) -> None:
    """Let others say of which orders they know something."""
    NEEDS[name] = need


def needing(name: str) -> list[Any]:
    """The keys of the newest such orders, `MOST` at most."""
    return newest(NEEDS[name].ids())


def waiting_for(service: str) -> list[Any]:
    """The keys of the newest orders that the service owes an answer."""
    return newest(unanswered.newest(services()[service], MOST))


def answered_by(service: str) -> list[Any]:
    """The keys of the newest orders that the service owes none."""
    found = orders().find(unanswered.settled_by(services()[service]), {"_id": True})
    return [each["_id"] for each in found.sort("_id", -1).limit(MOST)]


def newest(ids: Iterable[str]) -> list[Any]:
    keys = {key for each in ids if (key := object_id(each))}
    return list(islice(sorted(keys, reverse=True), MOST))


def marks(ids: Collection[str]) -> dict[str, str]:
    """By order id what the list says of it beside its status: one of TROUBLES."""
    found: dict[str, str] = {}
    for name in reversed(TROUBLES):
        need = NEEDS.get(name)
        if need and need.among:
            found |= dict.fromkeys(need.among(ids), name)
    return found
