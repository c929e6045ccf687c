"""A session takes more than an hour: one that was broken off goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.installing import LOCAL
from localservices.revision import git

UNFINISHED = LOCAL / "unfinished.json"
#: What has to be the same for the runs of two commands to be one session.
SAME = ("revision", "scale", "contenders", "measures")

Results = dict[str, Any]


def begun(new: Results, file: Path = UNFINISHED) -> Results:
    """The session that was broken off, if it measured the same as this new one; else the new one.

    What is not committed has no revision, so such sessions begin anew.
    """
    if not (new["revision"] and file.exists()):
        return new
    saved: Results = json.loads(file.read_text())
    as_saved = json.loads(json.dumps(new))
    return saved if all(saved[key] == as_saved[key] for key in SAME) else new


def save(results: Results, file: Path = UNFINISHED) -> None:
    """Keep what was measured so far."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results))


def end(file: Path = UNFINISHED) -> None:
    """There is nothing to go on with."""
    file.unlink(missing_ok=True)


def revision() -> str:
    """The commit of this working tree; empty where something else is in it, or nobody knows."""
    return "" if git("status", "--porcelain") else git("rev-parse", "HEAD")
