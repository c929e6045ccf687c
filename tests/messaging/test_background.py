"""Where the CPU is short, an order is taken first and worked on next."""

from __future__ import annotations

import os

import psutil

from runtime.priority import NICENESS
from tests.processes import Processes

#: https://man7.org/linux/man-pages/man7/sched.7.html
NICEST = 19


def test_workers_and_relay_let_the_web_server_go_first(processes: Processes) -> None:
    processes.start_web()
    billing, relay, orders = processes.start("billing", "relay", "orders")

    # The tests may be nice themselves. The Procfile lets `orders` go last.
    ours = psutil.Process().nice()
    for process, niceness in ((billing, NICENESS), (relay, NICENESS), (orders, NICENESS + 9)):
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        assert {each.nice() for each in everyone} == {min(ours + niceness, NICEST)}
    assert psutil.Process(processes.web.pid).nice() == ours
    # Linux weighs the niceness of processes within one session.
    assert {os.getsid(each.pid) for each in (billing, relay, orders)} == {os.getsid(0)}
    assert os.getsid(processes.web.pid) == os.getsid(0)
