"""`python -m localservices.fork_server`: imports the libraries once, and forks.

It is asked by lines of JSON, and answers each with one. It ends when nobody can ask any more.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from ordersite.forking.fork import Forked, fork
from ordersite.forking.preloading import preload


def main() -> None:
    preload()
    try:
        for line in sys.stdin:
            sys.stdout.write(f"{json.dumps(answer(**json.loads(line)))}\n")
            sys.stdout.flush()
        return
    except Forked as forked:
        program = forked.program
    program.run()


def answer(do: str, **asked: Any) -> int | None:
    """The process id of what was started, or with which exit code it ended."""
    return ANSWERS[do](**asked)


def start(command: str, environment: dict[str, str], log: str) -> int:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    pid = fork(command, environment, output)
    os.close(output)
    return pid


def exit_code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def wait_until_stopped(pid: int) -> None:
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


ANSWERS: dict[str, Callable[..., int | None]] = {
    "start": start,
    "exit_code": exit_code,
    "wait_until_stopped": wait_until_stopped,
}


if __name__ == "__main__":
    main()
