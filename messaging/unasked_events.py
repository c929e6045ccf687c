"""Events that nothing asks for: a person or a timer causes them, so no order awaits them.

Its publisher keeps it, to publish it again if needed, until orders has recorded it.
Its declaration names the module: `Event("inventory.shipped", …, kept_by="inventory.shipping")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from pymongo.collection import Collection

from messaging.service import Event, Service


class Keeper(Protocol):
    """What the module that `kept_by` names has."""

    def documents(self) -> Collection[dict[str, Any]]:
        """Its outbox: those in which events wait, `pending_since` when they happened."""

    def publish_waiting(self) -> int:
        """Publish what waits, and return how much it was; the scheduler runs this.

        Raises:
            PublishError: RabbitMQ has not confirmed all.
        """

    def unheard(self, before: datetime) -> Iterator[str]:
        """Ids of orders whose event was published before then, oldest first.

        It is not known yet whether orders recorded it.
        """

    def heard(self, order_ids: list[str]) -> None:
        """Orders has noted these, or will never know of such orders."""

    def publish_again(self, order_ids: list[str]) -> None:
        """Let these events wait to be published once more, with the same ids."""


FUNCTIONS = ("documents", "publish_waiting", "unheard", "heard", "publish_again")


def kept(service: Service) -> list[Event]:
    """The events of the service that nothing asks for."""
    return [event for event in service.publishes if event.kept_by]


def keeper(event: Event) -> Keeper:
    """Who keeps an event of `kept`."""
    assert event.kept_by is not None
    return keeper_in(event.kept_by)


@cache
def keeper_in(module: str) -> Keeper:
    """The one of this dotted name; it may keep several events."""
    return cast(Keeper, import_module(module))
