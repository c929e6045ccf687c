"""`python -m ordersite.forking [FOLDER]`: runs processes that are named as JSON on its input.

`{"web": {"command": "python manage.py serve", "environment": {"WEB_PORT": "8000"}}}`: the shell
command of each, and what it gets beside our environment. Their ids are files in the folder.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType

from ordersite.forking.fork import SIGNALS, Forked
from ordersite.forking.preloading import preload
from ordersite.forking.supervisor import CannotRun, Supervisor


def main() -> int:
    """Run them until a signal, or until one cannot run; returns the exit code."""
    preload()
    asked = sys.stdin.read()
    if not asked:
        return 0
    end_on_signals()
    pids = Path(sys.argv[1]) if sys.argv[1:] else None
    try:
        with Supervisor(json.loads(asked), pids) as supervisor:
            supervisor.follow()
    except CannotRun as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except Forked as forked:
        program = forked.program
    program.run()
    return 0


def end_on_signals() -> None:
    """Turn the first signal into an orderly end with exit code 0, and ignore the rest."""

    def end(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit

    for each in SIGNALS:
        signal.signal(each, end)


if __name__ == "__main__":
    sys.exit(main())
