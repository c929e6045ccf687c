"""One program that we started: its log, its state, its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

STOP_SECONDS = 20
LOG_TAIL_LINES = 25


class Child(Protocol):
    """What `subprocess.Popen` offers of a program that it started."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def terminate(self) -> None: ...


class Process:
    """A program in its own process group, writing to its own log file.

    It can be stopped, killed, frozen and started again, and the kernel ends it when the program
    that started it dies, however that died.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        #: Everything the program prints; a restart appends.
        self.log = log
        self.env = env
        self.cwd = cwd
        self._child: Child | None = None
        self._log_size_at_start = 0

    def start(self) -> None:
        """Start it; call this from a thread that lives as long as the program shall."""
        if self.running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_size_at_start = log.tell()
            self._child = self._launch(log)

    def _launch(self, log: BinaryIO) -> Child:
        return subprocess.Popen(
            with_parent(self.command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self.env,
            cwd=self.cwd,
            # In our session: Linux weighs the niceness of processes within one (sched(7)).
            process_group=0,
        )

    @property
    def pid(self) -> int:
        """The process id, which is its process group's id too."""
        assert self._child is not None, f"{self.name} was never started"
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs or was never started; negative: the signal that ended it."""
        return None if self._child is None else self._child.poll()

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Ask it to end (SIGTERM); after `seconds` kill it. Returns its exit code."""
        if self._child is None:
            return None
        if self.running:
            self.thaw()
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        self.kill()
        return self._child.poll()

    def wait(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self._child is not None, f"{self.name} was never started"
        return self._child.wait()

    def kill(self) -> None:
        """End it and its children at once, as a crash or a power cut would."""
        if self._child is None:
            return
        self._signal_group(signal.SIGKILL)
        self._child.wait()

    def freeze(self) -> None:
        """Stop it from doing anything while its connections stay open.

        A busy machine's kernel stops a program's threads one after the other; this returns once
        none of them runs any more. https://man7.org/linux/man-pages/man2/waitid.2.html
        """
        self._signal_group(signal.SIGSTOP)
        self._wait_until_stopped()

    def _wait_until_stopped(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._signal_group(signal.SIGCONT)

    def log_since_start(self) -> str:
        """What it has logged since it was last started."""
        return self.log.read_bytes()[self._log_size_at_start :].decode(errors="replace")

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def with_parent(command: list[str]) -> list[str]:
    """The command line that also ends the program when its parent dies, where Linux offers it.

    See PR_SET_PDEATHSIG in prctl(2).
    """
    if shutil.which("setpriv") is None:
        return command
    return ["setpriv", "--pdeathsig", "KILL", *command]
