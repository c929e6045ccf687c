"""When a process started, which tells it from a later one with the same id."""

from __future__ import annotations

from pathlib import Path

#: A process that has ended, and which its parent has yet to notice.
ENDED = "ZX"


def start_of(pid: int) -> str:
    """In ticks since the machine started; empty where there is no such process, or no /proc.

    A container's processes have the same ids each time it is started.
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, field 22; the name before it may
    hold anything.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in ENDED else fields[18]
