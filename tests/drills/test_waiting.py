"""What was true for a moment is not what lasts."""

from __future__ import annotations

import pytest

from drills import waiting
from drills.waiting import TookTooLong, lasting, wait_until


class FakeClock:
    """Stands still but while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "time", FakeClock())


def test_what_was_true_at_one_poll_may_have_been_old_news() -> None:
    """
    Given a count that is still zero because nobody has counted again
    When it is polled until it lasts
    Then the messages that show up later are waited for.
    """
    polls = iter([True, True, False, False, *[True] * 10_000])
    taken: list[bool] = []

    def is_drained() -> bool:
        taken.append(next(polls))
        return taken[-1]

    wait_until(lasting(is_drained, 0.2), 5, pause=0.05)

    assert False in taken
    assert taken[-4:] == [True] * 4


def test_what_does_not_last_takes_too_long() -> None:
    with pytest.raises(TookTooLong):
        wait_until(lasting(iter([True, False] * 10_000).__next__, 0.1), 0.3, pause=0.01)


def test_what_gets_less_is_waited_for_however_slow() -> None:
    left = iter([5, 5, 4, 3, 3, 2, 1, 0])
    counts: list[int] = [6]

    def is_done() -> bool:
        counts.append(next(left))
        return counts[-1] == 0

    took = wait_until(is_done, 0.25, pause=0.1, left=lambda: counts[-1])

    assert took > 0.25


def test_what_stands_still_is_not_waited_for() -> None:
    with pytest.raises(TookTooLong, match="3 left"):
        wait_until(lambda: False, 0.1, pause=0.01, left=lambda: 3)
