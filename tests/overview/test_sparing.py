"""What is read again and again takes its part of the time, and no more; in memory."""

from __future__ import annotations

from ordersite.overview.stored_snapshot import Sparing


class Machine:
    """A clock, and a processor's time, that pass as they are told."""

    def __init__(self) -> None:
        self.now = self.worked = 0.0
        self.runs = 0

    def read(self) -> None:
        """For two seconds, of which a tenth is work."""
        self.now += 2.0
        self.worked += 0.2
        self.runs += 1


def test_what_takes_long_runs_seldom() -> None:
    machine = Machine()
    spared = Sparing(
        machine.read,
        20,
        cost=lambda: machine.now,
        clock=lambda: machine.now,
    )

    spared()
    machine.now = 41.9
    spared()
    assert machine.runs == 1
    machine.now = 42.1
    spared()
    assert machine.runs == 2


def test_waiting_on_a_busy_machine_is_not_working() -> None:
    machine = Machine()
    spared = Sparing(
        machine.read,
        20,
        cost=lambda: machine.worked,
        clock=lambda: machine.now,
    )

    spared()
    machine.now = 6.1
    spared()

    assert machine.runs == 2
