"""Does this one process work? `python -m runtime.health PROCESS` is what a probe runs.

Exit code 0: yes. 1: no, and a line says why. 2: it was asked for a process that there is not.
The pipeline's health, which needs all of them, is `/health/ready`.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime import heartbeat_file

#: `worker` is any of the Celery workers.
PROCESSES = ("web", "relay", "worker", "archiver", "scheduler", "deliverer")

WEB_PATH = "/health/serving"
WEB_SECONDS = 3
HIGHEST_PORT = 65_535


def main(arguments: Sequence[str]) -> int:
    """Print a line about the process that is named; returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        print(f"Usage: python -m runtime.health {' | '.join(PROCESSES)}", file=sys.stderr)  # noqa: T201
        return 2
    trouble = trouble_of(arguments[0])
    print(trouble or f"{arguments[0]} works.", file=sys.stderr if trouble else sys.stdout)
    return 1 if trouble else 0


def trouble_of(process: str) -> str:
    """Why the process does not work; empty where it does."""
    return trouble_of_web() if process == "web" else trouble_in_file(process)


def trouble_of_web() -> str:
    text = os.environ.get("WEB_PORT", "8000")
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= HIGHEST_PORT):
        return f"WEB_PORT is {text[:40]!r}; for example: WEB_PORT=8000"
    port = int(text)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WEB_SECONDS)
    try:
        connection.request("GET", WEB_PATH)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"web does not answer on port {port} (WEB_PORT): {error or type(error).__name__}."
    finally:
        connection.close()
    return "" if status == http.client.OK else f"web answers {status}: MongoDB has no primary."


def trouble_in_file(process: str) -> str:
    path = os.environ.get(heartbeat_file.VARIABLE)
    if not path:
        return (
            f"The setting {heartbeat_file.VARIABLE} is missing, for this command and for "
            f"{process}; for example: {heartbeat_file.VARIABLE}=/tmp/{process}.heartbeat"
        )
    try:
        last = heartbeat_file.read(Path(path))
    except (OSError, ValueError) as error:
        return f"{process} has not written {path}: {error}."
    if last.process != process:
        return f"{path} is written by {last.process}; give each process a file of its own."
    if last.age_seconds > heartbeat_file.LATE_SECONDS or last.age_seconds < 0:
        return f"{process} has written no heartbeat for {last.age_seconds:.0f} s; start it again."
    return last.trouble


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
