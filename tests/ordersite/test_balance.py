"""Conservation's sums, in memory: each accepted order is counted once, whatever queues hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from ordersite.pipeline.conservation import Line, balance
from ordersite.pipeline.lost_events import Missing

COUNT = st.integers(0, 30)
QUEUES = ("billing", "billing.dlq", "orders", "billing.retry.200ms", "billing.retry.400ms")
NOTHING_WAITS: Mapping[str, int] = defaultdict(int)


def line(
    *,
    waiting: Mapping[str, int] = NOTHING_WAITS,
    unheard: int = 0,
    retrying: int = 0,
    **counts: int,
) -> Line:
    """Billing's, where so many orders were never heard of."""
    missing = (Missing("order.placed", f"order-{number}") for number in range(unheard))
    return balance("billing", waiting=waiting, lost=missing, retrying=retrying, **counts)


def parts(line: Line) -> tuple[int, int, int, int, int, int]:
    done, in_flight = line.done, line.in_flight
    return done, in_flight, line.retrying, line.failed, line.discarded, line.unaccounted


@given(
    done=COUNT,
    failed=COUNT,
    discarded=COUNT,
    others=COUNT,
    unheard=COUNT,
    retrying=COUNT,
    waiting=st.fixed_dictionaries(dict.fromkeys(QUEUES, COUNT)),
)
def test_the_parts_are_the_whole_and_none_is_negative(
    done: int,
    failed: int,
    discarded: int,
    others: int,
    unheard: int,
    retrying: int,
    waiting: dict[str, int],
) -> None:
    unanswered = failed + discarded + others + unheard

    counted = line(
        accepted=done + unanswered,
        undone=unanswered,
        failed=failed,
        discarded=discarded,
        waiting=waiting,
        unheard=unheard,
        retrying=retrying,
    )

    assert sum(parts(counted)) == counted.accepted
    assert min(parts(counted)) >= 0
    assert counted.done == done
    assert counted.unaccounted <= unheard


def test_what_nothing_speaks_for_is_unaccounted_with_its_names() -> None:
    counted = line(accepted=5, undone=3, failed=1, discarded=0, unheard=2)

    assert parts(counted) == (2, 0, 0, 1, 0, 2)
    assert counted.orders == ("order-0", "order-1")


def test_a_message_in_a_queue_speaks_for_one_order() -> None:
    """It may be the very message that the order waits for."""
    for queue in QUEUES:
        waiting = {**dict.fromkeys(QUEUES, 0), queue: 1}
        counted = line(accepted=2, undone=2, failed=0, discarded=0, unheard=2, waiting=waiting)
        assert (counted.unaccounted, counted.retrying) == (1, 0)


def test_a_retry_of_anybodys_message_is_no_retry_of_an_order() -> None:
    """Three orders were never tried; an external publisher's message waits for its retry."""
    waiting = {**dict.fromkeys(QUEUES, 0), "billing": 3, "billing.retry.200ms": 1}

    counted = line(accepted=3, undone=3, failed=0, discarded=0, waiting=waiting)
    assert (counted.in_flight, counted.retrying) == (3, 0)

    with_one = line(accepted=4, undone=4, failed=0, discarded=0, waiting=waiting, retrying=1)
    assert (with_one.in_flight, with_one.retrying) == (3, 1)


def test_an_order_that_waits_for_two_answers_is_one_order() -> None:
    missing = [Missing("order.placed", "a"), Missing("order.cancelled", "a")]
    counted = balance(
        "billing",
        accepted=2,
        undone=2,
        failed=0,
        discarded=0,
        retrying=0,
        waiting=NOTHING_WAITS,
        lost=missing,
    )

    assert parts(counted) == (0, 1, 0, 0, 0, 1)


def test_counts_of_different_moments_make_no_negative_number() -> None:
    """An order was taken, and another given up, while they were counted."""
    counted = line(accepted=1, undone=2, failed=3, discarded=0, unheard=1)

    assert parts(counted) == (0, 0, 0, 3, 0, 0)


def test_all_that_is_missing_of_an_order_is_sent_again_at_once() -> None:
    """
    Given two orders that a service owes two answers each
    Then all four are missing, and two orders are unaccounted for.
    """
    types = ("order.placed", "order.confirmed")
    lost = [Missing(type_, order_id) for type_ in types for order_id in ("a", "b", "c")]
    counted = balance(
        "billing",
        accepted=3,
        undone=2,
        failed=0,
        discarded=0,
        retrying=0,
        waiting=NOTHING_WAITS,
        lost=lost,
    )

    assert counted.unaccounted == 2
    assert counted.missing == tuple(each for each in lost if each.order_id != "c")
