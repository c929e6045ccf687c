"""Every outbox of the system, as the services' declarations name them.

The relay publishes from the one of the ledger's keeper, where a client waits for it. The scheduler
publishes from each module that an event names with `kept_by`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from pymongo.collection import Collection

from messaging.publishing import outbox
from messaging.service import Service, services


class OutboxModule(Protocol):
    """What the module of an outbox has."""

    def documents(self) -> Collection[dict[str, Any]]:
        """Those in which events wait; `pending_since` says since when."""


FUNCTIONS = ("documents",)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The events of one service that wait to be published."""

    service: str
    #: The process that publishes them.
    published_by: Literal["relay", "scheduler"]
    #: The dotted name of an `OutboxModule`.
    module: str

    def oldest_pending_since(self) -> datetime | None:
        """When the event that waits longest happened; None when none is pending.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        since = outbox.oldest_pending_since(self._documents())
        return since and since.replace(tzinfo=UTC)

    def pending(self) -> int:
        """In how many documents events wait; raises what the other does."""
        return outbox.pending(self._documents())

    def _documents(self) -> Collection[dict[str, Any]]:
        return cast(OutboxModule, import_module(self.module)).documents()


def outboxes() -> tuple[Outbox, ...]:
    """Every one, in the sequence of the services."""
    return tuple(each for service in services().values() for each in outboxes_of(service))


def outboxes_of(service: Service) -> list[Outbox]:
    keepers = dict.fromkeys(event.kept_by for event in service.publishes if event.kept_by)
    of_events = [Outbox(service.name, "scheduler", module) for module in keepers]
    if service.outbox is None:
        return of_events
    return [Outbox(service.name, "relay", service.outbox), *of_events]
