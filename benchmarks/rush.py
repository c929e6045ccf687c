"""Many orders at once: what the clients see, when the last effect is there, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count

from benchmarks.consumption import cpu_seconds, peak_memory
from benchmarks.services import Services
from benchmarks.system import RunFailed, System
from localservices.pipeline import ROOT

_seeds = count(1)


@dataclass(frozen=True, slots=True)
class Rush:
    """One load and its consequences."""

    connections: int
    placed: int
    errors: dict[str, int]
    posts_per_second: float
    p50_ms: float
    p99_ms: float
    #: From the first POST to the last reservation and invoice.
    effects_per_second: float
    #: From the first POST to the last `confirmed`; the same where orders have no status.
    confirmed_per_second: float
    #: By process, MongoDB and RabbitMQ among them, the load generator not.
    cpu_seconds_per_1000_orders: dict[str, float]
    #: Of the contender's processes together, their parent among them; without MongoDB and RabbitMQ.
    peak_memory_mb: float


def rush(system: System, services: Services, connections: int, orders: int, seconds: float) -> Rush:
    """Place the orders over so many connections, and wait for their last effect."""
    mark = system.mark()
    pids = pids_of(system)
    everything = {**pids, **{name: [pid] for name, pid in services.pids().items()}}
    used = cpu_seconds(everything)
    with peak_memory(system.topmost()) as peak:
        report = load(system, connections, orders, seconds)
        system.wait_for_effects(mark, report["placed"])
        effects_seconds = time.time() - report["started_at"]
        system.wait_for_confirmed(mark)
        confirmed_seconds = time.time() - report["started_at"]
    used_since = {name: now - used[name] for name, now in cpu_seconds(everything).items()}
    placed = report["placed"]
    return Rush(
        connections=connections,
        placed=placed,
        errors=report["errors"],
        posts_per_second=report["posts_per_second"],
        p50_ms=report["p50_ms"],
        p99_ms=report["p99_ms"],
        effects_per_second=placed / effects_seconds,
        confirmed_per_second=placed / confirmed_seconds,
        cpu_seconds_per_1000_orders={
            name: seconds / placed * 1000 for name, seconds in used_since.items()
        },
        peak_memory_mb=peak.megabytes,
    )


def load(system: System, connections: int, orders: int, seconds: float) -> dict:
    """Run the load generator in a process of its own; return what it reports.

    Raises:
        RunFailed: it could not connect, or no order was placed.
    """
    arguments = {
        "connections": connections,
        "orders": orders,
        "seconds": seconds,
        "key": system.key,
    }
    command = [sys.executable, "-m", "benchmarks.load_generator", system.url]
    command += ["--seed", str(next(_seeds))]
    command += [text for name, value in arguments.items() for text in (f"--{name}", str(value))]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout) if run.returncode == 0 else {}
    if not report.get("placed"):
        raise RunFailed(f"The load generator placed no order: {report} {run.stderr}")
    system.placed += report["placed"]
    system.errors += sum(report["errors"].values())
    return report


def pids_of(system: System) -> dict[str, list[int]]:
    return {name: [each.pid for each in all_] for name, all_ in system.processes.items()}
