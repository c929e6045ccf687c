"""Token buckets: so many at once, so many a second in the long run, and memory that is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.requests.client_address import bounded
from runtime.requests.token_buckets import Buckets


def taken(buckets: Buckets, moments: list[float], per_second: float = 5) -> int:
    return sum(buckets.take("a", per_second, now) > 0 for now in moments)


def test_a_window_may_be_used_at_once_and_then_it_fills_again() -> None:
    buckets = Buckets(window_seconds=10)

    assert taken(buckets, [0.0] * 100) == 50
    assert taken(buckets, [1.0] * 100) == 5
    assert taken(buckets, [1_000.0] * 100) == 50


def test_whoever_has_none_left_hears_when_there_is_one() -> None:
    buckets = Buckets(window_seconds=10)
    taken(buckets, [0.0] * 50)

    wait = -buckets.take("a", 5, 0.1)

    assert wait == pytest.approx(0.1)
    assert buckets.take("a", 5, 0.1 + wait) > 0
    assert buckets.take("another", 5, 0.1) > 0


def test_what_is_given_back_was_never_taken() -> None:
    buckets = Buckets(window_seconds=10)

    for _ in range(500):
        assert buckets.take("a", 5, 0.0) > 0
        buckets.give_back("a", 5)


@given(st.lists(st.floats(0, 100), max_size=300), st.sampled_from([0.1, 1, 3, 7.5, 100]))
def test_no_more_than_a_window_and_the_time_since(moments: list[float], per_second: float) -> None:
    buckets = Buckets(window_seconds=10)

    count = taken(buckets, sorted(moments), per_second)

    assert count <= per_second * (10 + max(moments, default=0)) + 1e-3


def test_many_clients_do_not_fill_the_memory() -> None:
    buckets = Buckets(window_seconds=10, most=100)

    for number in range(10_000):
        buckets.take(f"client {number}", 5, number / 1_000_000)
        assert len(buckets) <= 100


def test_those_that_are_full_are_forgotten_first() -> None:
    buckets = Buckets(window_seconds=10, most=100)
    assert taken(buckets, [0.0] * 100) == 50
    for number in range(95):
        buckets.take(f"client {number}", 1_000, 1.0)

    # All of those are full again, and `a` is not.
    for number in range(100, 110):
        buckets.take(f"client {number}", 1_000, 2.0)

    assert taken(buckets, [2.0] * 100) == 10


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", ""),
        ("x" * 10_000, ""),
        ("", ""),
    ],
)
def test_an_address_counts_as_whoever_can_have_it(address: str, counted: str) -> None:
    assert bounded(address) == counted
