"""What the publishing service has recorded, for messages of an unknown publisher.

A service that publishes events has a module `recorded` with

    def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Struct]: ...

the bodies that it would publish now, by order id; nothing for what never happened there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import msgspec

from messaging.order_id import canonical
from messaging.service import publisher_of, services
from messaging.storable import text

MODULE = "recorded"
#: A message may tell these in other words, or not at all: its handler gets what is stored.
INCIDENTAL = frozenset({"createdAt", "status", "reason"})
#: In a text for a person.
MOST_DIFFERENCES = 5
MOST_CHARACTERS = 80

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


def differences(told: Body, stored: Body) -> list[str]:
    """What the message says otherwise than what is stored, in words."""
    of_interest = {name: value for name, value in stored.items() if name not in INCIDENTAL}
    found = [*_differences("", told, of_interest)]
    more = [f"{len(found) - MOST_DIFFERENCES} more"] if len(found) > MOST_DIFFERENCES else []
    return [*found[:MOST_DIFFERENCES], *more]


def _differences(place: str, told: Any, stored: Any) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(told, dict):
        for name, value in stored.items():
            yield from _differences(f"{place}.{name}" if place else name, told.get(name), value)
    elif isinstance(stored, list) and isinstance(told, list) and len(stored) == len(told):
        for index, (ours, theirs) in enumerate(zip(stored, told, strict=True)):
            yield from _differences(f"{place}[{index}]", theirs, ours)
    elif not _is_same(place, told, stored):
        yield f"{place} is {_shown(told)}, not {_shown(stored)}"


def _is_same(place: str, told: Any, stored: Any) -> bool:
    if place == "orderId" and isinstance(told, str | int):
        return canonical(str(told)) == stored
    if type(told) is type(stored) and told == stored:
        return True
    return isinstance(told, str) and isinstance(stored, str) and _is_same_amount(told, stored)


def _is_same_amount(told: str, stored: str) -> bool:
    """12.5 is 12.50, however it is written."""
    if not (told.isascii() and stored.isascii() and "." in stored):
        return False
    try:
        return Decimal(told) == Decimal(stored)
    except InvalidOperation:
        return False


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return text(json.dumps(value, ensure_ascii=False), MOST_CHARACTERS)


@cache
def _module(package: str) -> Recorded | None:
    name = f"{package}.{MODULE}"
    if find_spec(name) is None:
        return None
    module: Any = import_module(name)
    return module
