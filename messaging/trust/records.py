"""What the publishing service has recorded, for messages of an unknown publisher.

A service that publishes events has a module `recorded` with

    def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Struct]: ...

the bodies that it would publish now, by order id; nothing for what never happened there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import msgspec

from messaging.order_id import canonical
from messaging.service import publisher_of, services

MODULE = "recorded"

Body = Mapping[str, Any]


class Recorded(Protocol):
    """A service's module `recorded`."""

    def bodies(self, type_: str, order_ids: Collection[str], /) -> Mapping[str, msgspec.Struct]: ...


def recorded(type_: str, order_ids: Collection[str]) -> dict[str, Body]:
    """The bodies as their service would publish them, by order id.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    found = bodies(type_, order_ids)
    return {order_id: msgspec.to_builtins(body) for order_id, body in found.items()}


def bodies(type_: str, order_ids: Collection[str]) -> Mapping[str, msgspec.Struct]:
    """The same, ready to be published; raises what `recorded` does."""
    service = publisher_of(type_)
    module = _module(service.name) if service and order_ids else None
    return module.bodies(type_, order_ids) if module else {}


def orders_of_ours(order_ids: Collection[str]) -> set[str]:
    """Those of the orders that the keeper of the ledger has taken; raises as `recorded` does."""
    for service in services().values():
        if service.keeps_ledger and service.publishes:
            return {*recorded(service.publishes[0].type, order_ids)}
    return set()


def order_id_in(body: Body) -> str:
    """The order that an untrusted body is about; empty where it names none."""
    order_id = body.get("orderId")
    return canonical(str(order_id)) if isinstance(order_id, str | int) else ""


@cache
def _module(package: str) -> Recorded | None:
    name = f"{package}.{MODULE}"
    if find_spec(name) is None:
        return None
    module: Any = import_module(name)
    return module
