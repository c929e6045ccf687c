"""How long each file's tests took, kept in `.local/durations.json`; a plugin of pytest."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from localservices.pipeline import ROOT

FILE = ROOT / ".local/durations.json"
SHOWN = 10

_seconds: dict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.location[0]] += report.duration


def slowest_first() -> dict[str, float]:
    """The seconds of each file's tests, with their fixtures."""
    ordered = sorted(_seconds.items(), key=lambda each: each[1], reverse=True)
    return {file: round(seconds, 2) for file, seconds in ordered}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write them once, where the reports of all workers come together."""
    if hasattr(session.config, "workerinput") or not _seconds:
        return
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(slowest_first(), indent=1) + "\n")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section(f"slowest {SHOWN} files")
    for file, seconds in [*slowest_first().items()][:SHOWN]:
        terminalreporter.write_line(f"{seconds:7.2f}s {file}")
