"""Requests to the stock that are not carried out, each with what to do instead."""

from __future__ import annotations

from inventory.consent import Obstacle
from inventory.problem_types import NOT_DONE, NOT_RESERVED, STOCK_DIFFERS, TOO_MANY_UNITS
from inventory.stock import MAX_UNITS
from runtime.requests.faults import body_fault
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import KEY_REUSED, NOT_FOUND

#: A client may send a name of a megabyte; it is not sent back whole.
LONGEST_ECHO_CHARACTERS = 100


class Refusal(Problem):
    """Becomes an `application/problem+json` answer, or a message in the admin."""

    title = "The stock was not changed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)


class UnknownSku(Refusal):
    """The SKU is not in the catalogue."""

    problem_type = NOT_FOUND

    def __init__(self, sku: str) -> None:
        super().__init__(f"{_echo(sku)} is not in the catalogue. Add it in the admin first.")


class UnknownReservation(Refusal):
    """Inventory never heard of the order."""

    problem_type = NOT_FOUND

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"Inventory has no reservation for order {_echo(order_id)}. "
            "If the order was placed a moment ago, try again."
        )


class NotReserved(Refusal):
    """The order has no stock that could be shipped."""

    problem_type = NOT_RESERVED

    def __init__(self, order_id: str, state: str) -> None:
        super().__init__(
            f"Order {_echo(order_id)} is {state}, so it has no stock to ship. "
            "The customer has to order again."
        )


class NotDone(Refusal):
    """Another service failed for the order, still retries, or has not answered."""

    problem_type = NOT_DONE

    def __init__(self, order_id: str, obstacle: Obstacle) -> None:
        self.order_id, self.obstacle = order_id, obstacle
        why = obstacle.cause.rstrip(".")
        super().__init__(
            f"Order {_echo(order_id)} should not be shipped yet: {why}. Repair that first, or "
            'ship it anyway: send {"force": true, "reason": "…"}.'
        )


class KeyReused(Refusal):
    """Two different deliveries came under one key."""

    problem_type = KEY_REUSED

    def __init__(self, key: str, quantity: int) -> None:
        self.quantity = quantity
        super().__init__(
            f"The Idempotency-Key {_echo(key)} has restocked {quantity} units before. "
            "Send another delivery with another key."
        )


class StockDiffers(Refusal):
    """The stock is not where a reservation says, or is not a number."""

    problem_type = STOCK_DIFFERS


class NoNumber(StockDiffers):
    """Another program has stored something else than a number of units."""

    def __init__(self, sku: str, field: str) -> None:
        super().__init__(
            f"{_echo(sku)} has no right number in its field {field}. Store a whole number there in "
            "MongoDB; `python manage.py recount_stock` says what its movements add up to."
        )


class TooManyUnits(Refusal):
    """The sum of the product's units would be larger than MongoDB's largest integer."""

    problem_type = TOO_MANY_UNITS

    def __init__(self, sku: str, units: int) -> None:
        room = max(0, MAX_UNITS - units)
        detail = f"{_echo(sku)} has {units} units, and {MAX_UNITS} are the most that can be counted"
        fix = f"Restock by at most {room}, or see whether the quantities before were right."
        super().__init__(f"quantity: {detail}. {fix}")
        self.errors = [body_fault(("quantity",), detail, fix)]


def _echo(text: str) -> str:
    return repr(text[:LONGEST_ECHO_CHARACTERS])
