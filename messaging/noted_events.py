"""Events that a service notes, and answers with no event of its own, as nobody has to hear of it.

So an order awaits them at the cost of no message. The service's declaration names the module that
tells what it has noted: `Service("webhooks", …, notes="webhooks.noting")`.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Protocol, cast

from messaging.service import On, Service, awaited_of


class Notes(Protocol):
    """What the module that `notes` names has."""

    def noted(self, type_: str, order_ids: Collection[str]) -> set[str]:
        """Those of the orders of which the service has noted this type of event."""


FUNCTIONS = ("noted",)


def noted_by(service: Service) -> list[On]:
    """What the service notes and does not answer."""
    return [on for on in awaited_of(service) if not on.leads_to]


def notes(service: Service) -> Notes:
    """Who tells it, of a service with `notes`."""
    assert service.notes is not None
    return cast(Notes, import_module(service.notes))
