"""What was true for a moment is not what lasts."""

from __future__ import annotations

import pytest

from drills.waiting import TookTooLong, lasting, wait_until


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
