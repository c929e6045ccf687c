"""What is owed to an order: for each event, the services that have not answered or noted it yet.

Each event that has to lead to something leaves a key for each such service in the order's
`awaited`, like "billing order.cancelled", in the write that makes the event, or that notes the
event of another service. The service's answer takes it out, or the scheduler, where the service
notes events and answers none; what stays there for too long was lost on the way
(`orders.unanswered`).
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from messaging.service import PENDING, On, Service, answering, awaited_of

#: A ledger's entry for a service that nothing was heard of yet.
UNHEARD = {"state": PENDING, "at": None, "message_id": None, "detail": None}


def key(service: str, type_: str) -> str:
    """How `awaited` names the service's answer to a type of event."""
    return f"{service} {type_}"


@cache
def waits(type_: str) -> tuple[tuple[Service, On], ...]:
    """The services that have to answer this type of event, and what they declare of it."""
    return tuple(
        (service, on) for service in answering() for on in awaited_of(service) if on.type == type_
    )


@cache
def keys_of(type_: str) -> list[str]:
    """What is owed to an order of which nothing but an event of this type has happened."""
    return [key(service.name, on.type) for service, on in waits(type_)]


@cache
def ledger_at_first() -> dict[str, Any]:
    """The ledger of a new order."""
    return {service.name: UNHEARD for service, _ in waits("order.placed")}


@cache
def ended_by(service: Service, state: str) -> list[str]:
    """The keys that this state of the service takes out."""
    return [key(service.name, on.type) for on in awaited_of(service) if state in service.ends(on)]


def owed_after(type_: str) -> list[dict[str, Any]]:
    """The keys that an event of this type adds, each as an expression of an update.

    A service that has brought the order to where the event would lead owes nothing more.
    """
    return [
        {
            "$cond": [
                {"$in": [state_in(service), sorted(service.ends(on))]},
                [],
                [key(service.name, on.type)],
            ]
        }
        for service, on in waits(type_)
    ]


def state_in(service: Service) -> dict[str, Any]:
    """The expression of the service's state in the order's ledger."""
    return {"$ifNull": [f"$ledger.{service.name}.state", PENDING]}


def since(now: datetime) -> dict[str, Any]:
    """The expression of `awaited_since`, where `awaited` is as it will be stored."""
    nothing = {"$eq": [{"$ifNull": ["$awaited", []]}, []]}
    return {"$cond": [nothing, "$$REMOVE", now]}
