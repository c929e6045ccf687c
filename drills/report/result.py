"""What came out of a run: one line of the file from which the table is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from localservices.revision import git

#: Runs that count, with the commit that each of them was made of.
RECORDED = Path(__file__).parents[1] / "results.jsonl"
#: What recording itself writes.
NO_CHANGE = (":!drills/results.jsonl", ":!docs/reliability.md")


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    drill: str
    seed: int
    #: The revision that was run.
    commit: str
    #: ISO 8601.
    at: str
    #: Orders answered with 201.
    orders: int
    requests: int
    faults: int
    lost: int
    twice: int
    #: Everything that was wrong, in words; the lost and doubled orders among it.
    violations: list[str]
    #: From the end of the last fault until every order placed before it was done, and a new
    #: one was answered.
    recovery_seconds: float
    #: The whole run.
    seconds: float
    #: What was broken, in words.
    injected: list[str] = field(default_factory=list)
    #: What the drill has measured, by what it is with its unit.
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return not self.violations


def crashed(drill: str, seed: int, error: Exception, seconds: float) -> Result:
    """A run that came to no end of its own counts as wrong."""
    return Result(
        drill=drill,
        seed=seed,
        commit=commit(),
        at=now(),
        orders=0,
        requests=0,
        faults=0,
        lost=0,
        twice=0,
        violations=[f"recovery: the run broke off: {type(error).__name__}: {error}"],
        recovery_seconds=0.0,
        seconds=round(seconds, 1),
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(result: Result, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(json.dumps(asdict(result)) + "\n")


def read(file: Path) -> list[Result]:
    if not file.exists():
        return []
    return [Result(**json.loads(line)) for line in file.read_text().splitlines()]


def of_drill(results: Iterable[Result], name: str) -> list[Result]:
    return [result for result in results if result.drill == name]


@cache
def commit() -> str:
    """The revision of this working tree, marked with + where something else is in it."""
    revision = git("rev-parse", "--short=8", "HEAD") or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", *NO_CHANGE)
    return f"{revision}+" if changed else revision
