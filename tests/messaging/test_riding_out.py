"""A handler waits for a dependency that is down, and its message is not blamed for the wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from messaging import outages
from messaging.outages import PATIENCE_SECONDS, ride_out
from runtime.outage import Outage


class Clock:
    """Goes on by what is slept, and by what the work takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(outages, "time", clock)
    return clock


def tries(*outcomes: Exception | str) -> Callable[[], str]:
    remaining = list(outcomes)

    def work() -> str:
        outcome = remaining.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return work


def test_the_work_goes_on_when_the_dependency_is_back(clock: Clock) -> None:
    assert ride_out(tries(Outage("down"), Outage("down"), "done")) == "done"
    assert 0 < clock.now < PATIENCE_SECONDS


def test_after_its_patience_it_is_an_outage(clock: Clock) -> None:
    with pytest.raises(Outage, match="down"):
        ride_out(tries(*[Outage("down")] * 100))
    assert clock.now <= PATIENCE_SECONDS


def test_a_time_limit_that_ends_the_wait_is_the_outage_too(clock: Clock) -> None:
    with pytest.raises(Outage, match="no confirm"):
        ride_out(tries(Outage("no confirm"), SoftTimeLimitExceeded()))


def test_a_handler_that_is_slow_by_itself_has_exceeded_its_time_limit(clock: Clock) -> None:
    with pytest.raises(SoftTimeLimitExceeded):
        ride_out(tries(SoftTimeLimitExceeded()))
