"""The ten promises, and what proves each of them besides the drills that break things for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise; a `Drill` names those that it proves by their numbers."""

    number: int
    text: str
    #: What of it every drill checks, whatever it breaks.
    everywhere: str = ""
    #: Test files that prove what a drill alone does not.
    tests: tuple[str, ...] = ()


PROMISES = (
    Promise(
        1,
        "An order answered with 201 is never lost, even with the broker down",
        everywhere="the invariant's `orders`",
    ),
    Promise(
        2,
        "The same idempotency key means the same order; another body under it is refused",
        everywhere="the invariant's `answers`",
        tests=(
            "tests/orders/test_idempotency.py",
            "tests/ordersite/test_one_reading.py",
            "tests/ordersite/test_two_ways.py",
        ),
    ),
    Promise(
        3,
        "An order has at most one invoice and one reservation, however often it is delivered",
        everywhere="the invariant's `twice` and `numbers`",
    ),
    Promise(
        4,
        "Stock is never negative, and available + reserved + shipped stays what was put in",
        everywhere="the invariant's `stock`",
    ),
    Promise(5, "One service's failure never makes another one run again"),
    Promise(
        6,
        "Each message ends in success, a recorded outcome, or a failed message with its reason",
        everywhere="the invariant's `orders`, `external publishers` and `conservation`",
    ),
    Promise(7, "No single message can stop a worker", tests=("tests/messaging/test_poison.py",)),
    Promise(
        8,
        "The system recovers by itself from the loss of broker, database or network",
        everywhere="the time that recovery took",
    ),
    Promise(
        9,
        "A replay is safe, authorised, audited and idempotent",
        tests=("tests/failed_messages/test_api.py", "tests/failed_messages/test_replay.py"),
    ),
    Promise(
        10,
        "Hostile input stays data: nothing of it is executed, an operator of MongoDB, or a script "
        "in the admin",
        tests=(
            "tests/failed_messages/test_admin.py",
            "tests/failed_messages/test_body_tree.py",
            "tests/journeys/whole_pipeline/test_bad_input.py",
        ),
    ),
)
