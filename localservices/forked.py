"""Processes of the pipeline as `make run` has them, forks of one, for tests and measurements."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from select import POLLIN, poll
from threading import Lock
from typing import BinaryIO

from localservices.pipeline import ROOT, process_environment
from localservices.process import Process

#: What a Python reads as it starts, and a fork does not read again.
FOR_A_START = ("PATH", "PYTHON", "LD_")


class ForkServer:
    """The process that forks."""

    def __init__(self) -> None:
        environment = process_environment()
        self._read_at_start = for_a_start(environment)
        self._asking = Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "localservices.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
            # Ctrl-C is ours, and it ends with us.
            process_group=0,
        )

    @property
    def pid(self) -> int:
        return self._server.pid

    def can_start(self, environment: Mapping[str, str]) -> bool:
        """Whether a fork would be what a start with this environment is."""
        return for_a_start(environment) == self._read_at_start

    def ask(self, do: str, **asked: object) -> int | None:
        assert self._server.stdin
        assert self._server.stdout
        with self._asking:
            print(json.dumps({"do": do, **asked}), file=self._server.stdin, flush=True)
            answer: int | None = json.loads(self._server.stdout.readline())
        return answer


@cache
def fork_server() -> ForkServer:
    return ForkServer()


def for_a_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key.startswith(FOR_A_START)}


class ForkedChild:
    """A process that the fork server started, with the methods of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = os.pidfd_open(pid)

    def poll(self) -> int | None:
        return self._exit_code(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._exit_code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _exit_code(self, within_seconds: float | None) -> int | None:
        if self.returncode is None and is_readable(self._end, within_seconds):
            self.returncode = fork_server().ask("exit_code", pid=self.pid)
            os.close(self._end)
        return self.returncode


class ForkedProcess(Process):
    """A `Process` whose shell command the fork server starts."""

    def _launch(self, log: BinaryIO) -> ForkedChild:
        command = self.command[-1].removeprefix("exec ")
        pid = fork_server().ask("start", command=command, environment=self.env, log=log.name)
        assert pid is not None
        return ForkedChild(pid)

    def _wait_until_stopped(self) -> None:
        fork_server().ask("wait_until_stopped", pid=self.pid)


def is_readable(file: int, within_seconds: float | None) -> bool:
    polling = poll()
    polling.register(file, POLLIN)
    return bool(polling.poll(None if within_seconds is None else within_seconds * 1000))
