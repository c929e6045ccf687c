"""A random history, decided before it happens: the same seed, the same requests."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from drills.traffic.stock import Stock

MAX_LINES = 4
#: Of all orders; the rest is plain.
SHARES = {"scarce": 0.04, "invalid": 0.05, "unkeyed": 0.15, "again": 0.10, "other": 0.03}
CANCELLED_SHARE = 0.06

INVALID_BODIES: tuple[Any, ...] = (
    {"items": []},
    {"items": [{"sku": "no-such-thing", "quantity": 1}]},
    {"items": [{"sku": {"$gt": ""}, "quantity": 1}]},
    {"items": [{"sku": "x", "quantity": -1}]},
    {"items": "book"},
)


@dataclass(frozen=True, slots=True)
class Intention:
    """One order that a client wants, and what they do about it."""

    number: int
    user_id: int
    body: dict[str, Any]
    key: str | None
    is_valid: bool = True
    #: Sends the same request again after its success.
    again: bool = False
    #: Sends another body under the same key after its success.
    other: bool = False
    cancel: bool = False
    #: Seconds after the start of the traffic.
    due_seconds: float = field(default=0.0)


def intentions(
    users: Sequence[int], per_second: float, stock: Stock, chance: random.Random
) -> Iterator[Intention]:
    """One order for each user, so many a second."""
    for number, user_id in enumerate(users):
        kind = _kind(chance.random())
        yield Intention(
            number=number,
            user_id=user_id,
            body={"userId": user_id, **_body(kind, stock, chance)},
            key=None if kind == "unkeyed" else str(uuid.UUID(int=chance.getrandbits(128))),
            is_valid=kind != "invalid",
            again=kind == "again",
            other=kind == "other",
            cancel=chance.random() < CANCELLED_SHARE,
            due_seconds=number / per_second,
        )


def _kind(share: float) -> str:
    for kind, size in SHARES.items():
        if share < size:
            return kind
        share -= size
    return "plain"


def _body(kind: str, stock: Stock, chance: random.Random) -> dict[str, Any]:
    if kind == "invalid":
        return dict(chance.choice(INVALID_BODIES))
    skus = chance.sample(stock.plenty, chance.randint(1, MAX_LINES))
    if kind == "scarce":
        skus.append(chance.choice(stock.scarce))
    return {"items": [_line(sku, chance) for sku in skus]}


def _line(sku: str, chance: random.Random) -> Any:
    return sku if chance.random() < 0.3 else {"sku": sku, "quantity": chance.randint(1, 3)}
