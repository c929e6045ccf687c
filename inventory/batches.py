"""Reserves for many orders in one transaction, where none of them needs the single path.

An optimisation of `inventory.reserving`, which is the truth: it answers what is refused here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pymongo.client_session import ClientSession

from inventory.movements import movements, of_order
from inventory.order_in_message import PlacedOrder
from inventory.reserving import Reservation, recorded_of, reservations, reserved
from inventory.stock import Kind, having, products, shift, units_of
from runtime.transactions import in_transaction


class NotAllReserved(Exception):
    """Some SKU hasn't enough for all of the orders, so nothing was reserved for any."""


def reserve_plenty(orders: Sequence[PlacedOrder]) -> list[Reservation | None]:
    """Reserve for the orders as `reserve_many` does, but leave alone what is scarce.

    None stands for an order that wants some SKU of which there isn't enough for all: who gets the
    last of it is decided one by one. An article that is sold out thus holds up no other.

    Raises what `reserve_many` raises; NotAllReserved where the stock has changed meanwhile.
    """
    try:
        return [*reserve_many(orders)]
    except NotAllReserved:
        scarce = _scarce(_wanted(orders))
        others = [order for order in orders if scarce.isdisjoint(order.quantities)]
        if len(others) == len(orders):
            raise
    answers = {answer["_id"]: answer for answer in reserve_many(others)} if others else {}
    return [answers.get(order.order_id) for order in orders]


def reserve_many(orders: Sequence[PlacedOrder]) -> list[Reservation]:
    """Reserve every line of every order and return the reservations, in the orders' sequence.

    A few hundred orders. One that was answered before gets the same answer. Whatever is raised,
    all or none were reserved, and reserving each order by itself is right.

    Raises:
        NotAllReserved: the stock doesn't reach for all, or a SKU is not in the catalogue.
        pymongo.errors.BulkWriteError: an order was answered meanwhile.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def reserve_all(session: ClientSession) -> list[Reservation]:
        answers = recorded_of([order.order_id for order in orders], session)
        # One that is there several times counts once: the first, as one by one.
        new = {each.order_id: each for each in reversed(orders) if each.order_id not in answers}
        if new:
            reserved_now = _reserve_new([*reversed(new.values())], session)
            answers |= {answer["_id"]: answer for answer in reserved_now}
        return [answers[order.order_id] for order in orders]

    return in_transaction(reserve_all)


def _reserve_new(orders: Sequence[PlacedOrder], session: ClientSession) -> list[Reservation]:
    # The stock first: a conflict with another batch is found before the rest is written.
    if not shift(Kind.RESERVE, _wanted(orders), session):
        raise NotAllReserved(f"The stock doesn't reach for all of {len(orders)} orders.")
    answers = [reserved(order) for order in orders]
    reservations().insert_many(answers, session=session)
    movements().insert_many(_log(orders), session=session, ordered=False)
    return answers


def _wanted(orders: Sequence[PlacedOrder]) -> Counter[str]:
    """How many units of each SKU all of the orders want together."""
    wanted: Counter[str] = Counter()
    for order in orders:
        wanted.update(order.quantities)
    return wanted


def _scarce(wanted: Mapping[str, int]) -> set[str]:
    """The SKUs of which less is available than wanted; an unknown one is among them."""
    found = products().find(having([*wanted]), {"_id": 0, "sku": 1, "available": 1})
    available = {product["sku"]: units_of(product, "available") or 0 for product in found}
    return {sku for sku, units in wanted.items() if available.get(sku, 0) < units}


def _log(orders: Sequence[PlacedOrder]) -> list[dict[str, object]]:
    at = datetime.now(UTC)
    return [
        movement
        for order in orders
        for movement in of_order(Kind.RESERVE, order.order_id, order.quantities, at)
    ]
