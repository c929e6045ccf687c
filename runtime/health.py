"""Does this one process work? `python -m runtime.health PROCESS` is what a probe runs.

Exit code 0: yes. 1: no, and a line says why. 2: it was asked for a process that there is not.
With --ready a process that still waits for what it needs, such as migrations, does not work either:
then the one that it replaces should go on.
The pipeline's health, which needs all of them, is `/health/ready`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime import heartbeat_file

#: `worker` is any of the Celery workers.
PROCESSES = ("web", "relay", "worker", "archiver", "scheduler", "deliverer")

READY = "--ready"
WEB_PATH = "/health/serving"
WEB_SECONDS = 3
HIGHEST_PORT = 65_535


def main(arguments: Sequence[str]) -> int:
    """Print a line about the process that is named; returns the exit code."""
    names = [each for each in arguments if each != READY]
    if len(names) != 1 or names[0] not in PROCESSES:
        usage = f"Usage: python -m runtime.health [{READY}] {' | '.join(PROCESSES)}"
        print(usage, file=sys.stderr)  # noqa: T201
        return 2
    trouble = trouble_of(names[0], is_to_be_ready=READY in arguments)
    print(trouble or f"{names[0]} works.", file=sys.stderr if trouble else sys.stdout)
    return 1 if trouble else 0


def trouble_of(process: str, is_to_be_ready: bool = False) -> str:
    """Why the process does not work; empty where it does. Web always has to be ready."""
    return trouble_of_web() if process == "web" else trouble_in_file(process, is_to_be_ready)


def trouble_of_web() -> str:
    text = os.environ.get("WEB_PORT", "8000")
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= HIGHEST_PORT):
        return f"WEB_PORT is {text[:40]!r}; for example: WEB_PORT=8000"
    port = int(text)
    # The other probes do without it: it would take two thirds of their time, in each container for
    # ever.
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WEB_SECONDS)
    try:
        connection.request("GET", WEB_PATH)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"web does not answer on port {port} (WEB_PORT): {error or type(error).__name__}."
    finally:
        connection.close()
    return (
        ""
        if status == http.client.OK
        else f"web answers {status}: MongoDB has no primary, or is not migrated."
    )


def trouble_in_file(process: str, is_to_be_ready: bool) -> str:
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
    if last.has_ended:
        return f"{process} has ended: the process {last.pid}, which wrote {path}, is gone."
    if last.age_seconds > heartbeat_file.LATE_SECONDS or last.age_seconds < 0:
        return f"{process} has written no heartbeat for {last.age_seconds:.0f} s; start it again."
    if is_to_be_ready and last.waits_for:
        return f"{process} waits for {last.waits_for}."
    return last.trouble


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
