"""When the next call may begin, in memory and without a clock."""

from __future__ import annotations

import pytest

from runtime import batch_interval
from runtime.batch_interval import FEW, INTERVAL_SECONDS, Pace


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(batch_interval, "time", clock)
    return clock


def test_a_few_calls_wait_for_nobody(clock: Clock) -> None:
    each = Pace()
    for _ in range(FEW - 1):
        assert each.pause_seconds() == 0
        each.called(1)

    assert each.pause_seconds() == 0


def test_after_more_than_a_few_the_next_waits_for_others(clock: Clock) -> None:
    each = Pace()
    for _ in range(FEW):
        clock.now += 0.001
        each.called(1)
    assert each.pause_seconds() == pytest.approx(INTERVAL_SECONDS)

    clock.now += INTERVAL_SECONDS / 2
    assert each.pause_seconds() == pytest.approx(INTERVAL_SECONDS / 2)

    clock.now += INTERVAL_SECONDS / 2
    assert each.pause_seconds() == 0


def test_one_large_call_is_more_than_a_few(clock: Clock) -> None:
    each = Pace()
    each.called(FEW)

    assert each.pause_seconds() == pytest.approx(INTERVAL_SECONDS)


def test_calls_that_come_now_and_then_never_wait(clock: Clock) -> None:
    each = Pace()
    for _ in range(50):
        each.called(FEW - 1)
        clock.now += INTERVAL_SECONDS
        assert each.pause_seconds() == 0


def test_where_the_work_is_shared_each_waits_longer(clock: Clock) -> None:
    each = Pace()
    each.interval_seconds = 3 * INTERVAL_SECONDS
    for _ in range(FEW):
        each.called(1)
    clock.now += 2 * INTERVAL_SECONDS

    assert each.pause_seconds() == pytest.approx(INTERVAL_SECONDS)
