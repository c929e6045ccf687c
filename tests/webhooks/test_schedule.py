"""Retries go on for a day, and an endpoint that is dead for days is found out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from webhooks.disabling import DISABLED_AFTER, is_dead
from webhooks.schedule import BACKOFF_SECONDS, JITTER, MOST_TRIES, delay_after

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_the_delays_grow_and_last_a_day() -> None:
    delays = [delay_after(tries) for tries in range(1, MOST_TRIES)]

    seconds = [delay.total_seconds() for delay in delays if delay]
    assert seconds == sorted(seconds)
    assert seconds[0] < 6
    assert sum(BACKOFF_SECONDS) >= 24 * 3600


def test_each_is_a_little_random() -> None:
    drawn = {delay_after(2) for _ in range(50)}

    low, high = BACKOFF_SECONDS[1] * (1 - JITTER), BACKOFF_SECONDS[1] * (1 + JITTER)
    assert len(drawn) > 1
    assert all(each and low <= each.total_seconds() <= high for each in drawn)


def test_after_the_last_try_it_is_given_up() -> None:
    assert delay_after(MOST_TRIES) is None
    assert delay_after(MOST_TRIES + 5) is None


def test_days_of_nothing_but_failures_are_enough() -> None:
    assert is_dead(NOW - DISABLED_AFTER, NOW)
    assert not is_dead(NOW - DISABLED_AFTER + timedelta(seconds=1), NOW)
