"""One session: every contender in every measure, in turns, and what came out."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contender import Contender
from benchmarks.limits import limits
from benchmarks.measures import MEASURES
from benchmarks.scale import Scale
from benchmarks.services import Services

#: The measure that is of the services alone, and that which is too long for several rounds.
LIMITS = "limits"
GROWTH = "growth"
ALL_MEASURES = (*MEASURES, LIMITS)

Runs = list[dict[str, Any]]


def session(
    services: Services,
    contenders: Sequence[Contender],
    measures: Sequence[str],
    scale: Scale,
    logs: Path,
) -> dict[str, Any]:
    """Measure in rounds, the contenders one after the other in each; return everything seen."""
    started = datetime.now(UTC)
    runs: Runs = []
    for number in range(scale.rounds):
        if LIMITS in measures:
            runs.append(_run(number, None, LIMITS, partial(limits, services, scale)))
        # Each round begins with another contender, so that none always comes after the same one.
        turn = number % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            for measure in _of_round(measures, number):
                measured = partial(MEASURES[measure], contender, services, logs, scale)
                runs.append(_run(number, contender.name, measure, measured))
    return {
        "taken_at": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "scale": asdict(scale),
        "contenders": {each.name: each.title for each in contenders},
        "runs": runs,
    }


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": psutil.getloadavg()[0],
    }


def _of_round(measures: Sequence[str], number: int) -> list[str]:
    return [each for each in MEASURES if each in measures and (each != GROWTH or number == 0)]


def _run(
    number: int, contender: str | None, measure: str, measured: Callable[[], Any]
) -> dict[str, Any]:
    """One measure of one contender; a failure is noted, and the session goes on."""
    began = time.monotonic()
    run: dict[str, Any] = {"round": number + 1, "contender": contender, "measure": measure}
    try:
        run["result"] = measured()
    except Exception as error:
        run["failed"] = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    print(
        f"{time.strftime('%H:%M:%S')} round {number + 1}: {contender or ''} {measure}, "
        f"{seconds:.0f} s {run.get('failed', '')}",
        flush=True,
    )
    return run
