"""The moment in which a drill breaks something: it is met and confirmed, or it does not count."""

from __future__ import annotations

from collections.abc import Callable

from drills.fault import Missed
from drills.run import Run
from drills.waiting import TookTooLong, wait_until

ATTEMPTS = 6
POLL_SECONDS = 0.02
#: In the report, how many attempts broke nothing.
MISSED = "moments missed"


def meet(moment: Callable[[], object], within_seconds: float, what: str) -> None:
    """Wait until it is there.

    Raises:
        Missed: it did not come in time.
    """
    try:
        wait_until(moment, within_seconds, what, pause=POLL_SECONDS)
    except TookTooLong as error:
        raise Missed(str(error)) from error


def until_met(run: Run, break_something: Callable[[], None]) -> None:
    """Break it; where the moment was missed, try again.

    Raises:
        TookTooLong: the moment never came.
    """
    run.measured.setdefault(MISSED, 0)
    for _ in range(ATTEMPTS):
        try:
            return break_something()
        except Missed as missed:
            run.measured[MISSED] += 1
            reason = str(missed)
    raise TookTooLong(f"Missed {ATTEMPTS} times, so that nothing was broken: {reason}")
