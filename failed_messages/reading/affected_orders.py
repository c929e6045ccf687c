"""Which orders are held up by a failed message, or were given up with one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from messaging.service import On, Service

HELD_UP = (str(Status.FAILED), str(Status.REPLAYING))
GIVEN_UP = (str(Status.DISCARDED),)


def held_up(service: Service) -> set[str]:
    """Orders whose outcome from the service waits for an operator."""
    return _order_ids(service, service.listens, HELD_UP)


def given_up(service: Service) -> set[str]:
    """Orders whose outcome from the service was discarded."""
    return _order_ids(service, service.listens, GIVEN_UP)


def explained(service: Service, on: On) -> set[str]:
    """Orders of which a failed message tells why the service has not answered this event."""
    return _order_ids(service, [on], HELD_UP + GIVEN_UP)


def _order_ids(service: Service, listens: Iterable[On], statuses: tuple[str, ...]) -> set[str]:
    """By the order's own event in the service, or by the service's answer on its way to orders."""
    awaited = [on for on in listens if on.leads_to]
    states = {state for on in awaited for state in service.ends(on)}
    answers = [event.type for event in service.publishes if event.state in states]
    its_events: dict[str, Any] = {
        "service": service.name,
        "type": {"$in": [on.type for on in awaited]},
    }
    its_answers: dict[str, Any] = {"service": "orders", "type": {"$in": answers}}
    wanted = {"status": {"$in": list(statuses)}}
    return {
        record.get("order_id") or ""
        for which in (its_events, its_answers)
        for record in failed_messages()
        .find({**which, **wanted}, {"_id": False, "order_id": True})
        .hint("standing")
    }
