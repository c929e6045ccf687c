"""The scopes of keys and access tokens, each declared once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

ALL = ":*"


class Scope(NamedTuple):
    name: str
    #: What it allows, for those who give keys.
    allows: str
    #: The permission that gives it to a member of the staff; empty where every one has it.
    permission: str
    #: Whether a customer may have it, for orders of their own; the others are the staff's.
    is_customers: bool = False


SCOPES = {
    scope.name: scope
    for scope in (
        Scope("orders:place", "place an order", "orders.add_order", True),
        Scope("orders:read", "read orders, their timelines and events", "orders.view_order", True),
        Scope("orders:cancel", "cancel an order", "orders.change_order", True),
        Scope("orders:import", "place many orders in one request", "orders.add_order", True),
        Scope("invoices:read", "read invoices and credit notes", "billing.view_invoice", True),
        Scope("catalogue:read", "read the products", "inventory.view_product", True),
        Scope(
            "catalogue:write",
            "add, change and withdraw products",
            "inventory.change_product",
        ),
        Scope(
            "webhooks:read",
            "read webhook endpoints and what was sent to them",
            "webhooks.view_endpoint",
            True,
        ),
        Scope(
            "webhooks:manage",
            "make, change and delete webhook endpoints, test them, send again",
            "webhooks.change_endpoint",
            True,
        ),
        Scope("orders:ship", "send an order's goods off", "inventory.ship_reservation"),
        Scope("stock:write", "restock a product", "inventory.restock_product"),
        Scope("pipeline:read", "read metrics, conservation and what is not ready", ""),
        Scope(
            "failed-messages:read",
            "read failed messages, their groups and bulk replays",
            "failed_messages.view_failedmessage",
        ),
        Scope(
            "failed-messages:replay",
            "replay failed messages, one, many or on a schedule",
            "failed_messages.replay_failedmessage",
        ),
        Scope(
            "failed-messages:edit",
            "replay a corrected copy of a failed message",
            "failed_messages.edit_failedmessage",
        ),
        Scope(
            "failed-messages:discard",
            "discard and restore failed messages",
            "failed_messages.discard_failedmessage",
        ),
        Scope(
            "failed-messages:triage",
            "note what is known about a group of failures",
            "failed_messages.change_failuregroup",
        ),
        Scope("api-keys:read", "list the keys, without their secrets", "access.view_apikey"),
        Scope("api-keys:write", "create, rotate and revoke keys", "access.change_apikey"),
    )
}

THERE_ARE = f"The scopes are {', '.join(SCOPES)}."

#: A customer never has more, whatever a key or a token of theirs says.
CUSTOMERS = frozenset(name for name, scope in SCOPES.items() if scope.is_customers)

#: What anyone may do where the API is open.
OPEN = CUSTOMERS | {"pipeline:read"}


def allowed(names: Iterable[str], user_id: int | None) -> frozenset[str]:
    """What a client with these scopes may do; unknown names mean nothing."""
    return frozenset(names) & (CUSTOMERS if user_id is not None else SCOPES.keys())


class UnknownScope(ValueError):
    """Names that are not a scope's; the text says which, and names those that there are."""


def expanded(names: Iterable[str]) -> list[str]:
    """The scopes with these names, each once; `failed-messages:*` is all of that family.

    Raises:
        UnknownScope: there is none of some of the names.
    """
    named = list(names)
    if unknown := [each for each in named if not matching(each)]:
        raise UnknownScope(" ".join([*map(no_scope, unknown), THERE_ARE]))
    return list(dict.fromkeys(each for name in named for each in matching(name)))


def matching(name: str) -> list[str]:
    """The scope of that name, or those of that family; none where there is none."""
    family = name.removesuffix("*") if name.endswith(ALL) else None
    return [each for each in SCOPES if each == name or (family and each.startswith(family))]


def no_scope(name: str) -> str:
    return f"{name[:60]!r} is not a scope."
