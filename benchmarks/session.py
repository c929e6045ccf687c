"""One session: every contender in every measure, alternating, and the results."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.contender import Contender
from benchmarks.how_much import Scale
from benchmarks.limits import limits
from benchmarks.measures import MEASURES
from benchmarks.services import Services
from benchmarks.unfinished import revision

#: The measure that is of the services alone, and that which is too long for several rounds.
LIMITS = "limits"
GROWTH = "growth"
ALL_MEASURES = (*MEASURES, LIMITS)


class Step(NamedTuple):
    """One measure, of one contender or of the services alone."""

    round: int
    contender: Contender | None
    measure: str

    @property
    def key(self) -> dict[str, Any]:
        name = self.contender.name if self.contender else None
        return {"round": self.round, "contender": name, "measure": self.measure}


def session(
    services: Services,
    steps: Iterable[Step],
    scale: Scale,
    logs: Path,
    runs: list[dict[str, Any]],
) -> Iterator[None]:
    """Take each step that is not among the runs yet, and add it to them."""
    taken = [{name: run[name] for name in ("round", "contender", "measure")} for run in runs]
    for step in steps:
        if step.key in taken:
            continue
        if step.contender is None:
            measured = partial(limits, services, scale)
        else:
            measured = partial(MEASURES[step.measure], step.contender, services, logs, scale)
        runs.append(_run(step, measured))
        yield


def steps_of(contenders: Sequence[Contender], measures: Sequence[str], rounds: int) -> list[Step]:
    """In each round the contenders alternate at one measure after the other; growth comes last."""
    steps = []
    for number in range(rounds):
        if LIMITS in measures:
            steps.append(Step(number + 1, None, LIMITS))
        # Each round begins with another contender, so that none always comes after the same one.
        first = number % len(contenders)
        turned = (*contenders[first:], *contenders[:first])
        of_round = [each for each in MEASURES if each in measures and each != GROWTH]
        steps += [Step(number + 1, each, measure) for measure in of_round for each in turned]
    if GROWTH in measures:
        steps += [Step(1, each, GROWTH) for each in contenders]
    return [each for each in steps if not each.contender or each.contender.takes_part(each.measure)]


def new_results(
    contenders: Sequence[Contender], measures: Sequence[str], scale: Scale
) -> dict[str, Any]:
    """What a session's results are of, and no run yet."""
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "machine": machine(),
        "scale": asdict(scale),
        "contenders": {each.name: each.title for each in contenders},
        "measures": list(measures),
        "runs": [],
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


def _run(step: Step, measured: Callable[[], Any]) -> dict[str, Any]:
    """One measure of one contender; a failure is noted, and the session goes on."""
    began = time.monotonic()
    run: dict[str, Any] = {**step.key}
    try:
        run["result"] = measured()
    except Exception as error:
        run["failed"] = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    print(
        f"{time.strftime('%H:%M:%S')} round {step.round}: {run['contender'] or ''} {step.measure}, "
        f"{seconds:.0f} s {run.get('failed', '')}",
        flush=True,
    )
    return run
