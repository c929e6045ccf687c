"""Forks this process, and makes the child what a newly started program is."""

from __future__ import annotations

import ctypes
import os
import signal
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ordersite.forking.program import Program, program_of, run_in_shell

#: prctl(2)
PR_SET_PDEATHSIG = 1
#: No process that forks here has as many files open.
FILES = 4096
#: What ends us in an orderly way.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Forked(BaseException):
    """Raised in the child, so that it leaves whatever its parent is doing."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        #: What to run outside of all that.
        self.program = program


def fork(command: str, environment: Mapping[str, str], output: int) -> int:
    """Start a shell command; return its process id, which is its process group's id too.

    It reads nothing, and what it prints goes to the file descriptor `output`. The kernel ends it
    when this process dies. Only a process of a single thread may call this.

    Raises:
        Forked: in the child, where the command starts a program of this Python.
    """
    program = program_of(command, environment)
    parent = os.getpid()
    # A signal that comes meanwhile is the parent's.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if pid:
        # Both do it, as neither knows who is first; a child that is another program by now has.
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return pid
    try:
        become_new(parent, environment, output)
        if program is None:
            run_in_shell(command, environment)
        set_name(program.words)
    except BaseException:
        # Nothing of the parent's work may go on here.
        traceback.print_exc()
        os._exit(1)
    raise Forked(program)


def become_new(parent: int, environment: Mapping[str, str], output: int) -> None:
    os.setpgid(0, 0)
    end_with(parent)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    # As Python starts with.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, own in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(file, own)
    os.closerange(3, FILES)
    os.environ.clear()
    os.environ.update(environment)


def end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent has ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def set_name(words: list[str]) -> None:
    """Let `ps` show this process with a command line of its own.

    Linux reads it where the program's arguments and environment were at its start: proc(5).
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[48])
    name = os.fsencode(" ".join(words))[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, name, len(name))
