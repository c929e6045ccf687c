"""How long does it take until a worker works, and until Django has checked itself?

    python -m benchmarks.startup

A worker is ready when it consumes its queue. MongoDB and RabbitMQ run already, with the topology
declared.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.installing import LOCAL
from benchmarks.ours import Ours
from benchmarks.services import running_services
from benchmarks.system import System, prepared
from localservices.pipeline import ROOT, process_environment, service_names
from localservices.run import end_on_signals

ROUNDS = 5
WORKERS = tuple(service_names())


class EachByItself(Ours):
    """Started by its own command, as by systemd."""

    forked = False


def main() -> int:
    """Measure, and print the median of each."""
    end_on_signals()
    seconds: dict[str, list[float]] = {}
    with running_services() as services:
        for _ in range(ROUNDS):
            with prepared(EachByItself(), services, LOCAL / "logs") as system:
                measures: dict[str, Callable[[], float]] = {
                    f"worker of {name}": partial(until_ready, system, name) for name in WORKERS
                }
                measures["manage.py check"] = partial(check, system)
                for what, measure in measures.items():
                    seconds.setdefault(what, []).append(measure())
    for what, measured in seconds.items():
        print(f"{what}: {median(measured):.2f} s ({min(measured):.2f} to {max(measured):.2f})")
    return 0


def until_ready(system: System, name: str) -> float:
    """From the start of the worker until it consumes."""
    started = time.perf_counter()
    system.start_one(name)
    system.wait_until(lambda: system.ground.queue(name)[1] > 0)
    return time.perf_counter() - started


def check(system: System) -> float:
    environment = process_environment() | dict(Ours.environment) | system.ground.environment
    started = time.perf_counter()
    command = [sys.executable, "manage.py", "check"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
