"""Where the CPU is short, an order is taken first and worked on next."""

from __future__ import annotations

from pathlib import Path

import psutil

from runtime.priority import NICENESS
from tests.processes import Processes


def test_workers_and_relay_let_the_web_server_go_first(processes: Processes) -> None:
    processes.start_web()
    billing, relay, orders = processes.start("billing", "relay", "orders")

    # The Procfile lets `orders` go last.
    for process, niceness in ((billing, NICENESS), (relay, NICENESS), (orders, NICENESS + 9)):
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        assert {each.nice() for each in everyone} == {niceness}
        assert session_niceness(process.pid) in {niceness, None}
    assert psutil.Process(processes.web.pid).nice() == 0
    assert session_niceness(processes.web.pid) in {0, None}


def session_niceness(pid: int) -> int | None:
    """Of the whole session, as sched(7) has it; None where Linux schedules no sessions."""
    autogroup = Path(f"/proc/{pid}/autogroup")
    return int(autogroup.read_text().split()[-1]) if autogroup.exists() else None
