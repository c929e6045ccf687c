"""What processes print, line by line, each with its process's name before it."""

from __future__ import annotations

import os
import sys

#: The most that is read at a time.
READ_BYTES = 65536
#: Of a terminal, one a process: cyan, yellow, green, magenta, red, blue.
COLOURS = (36, 33, 32, 35, 31, 34)


class Lines:
    """The reading end of a pipe, into which one process prints."""

    def __init__(self, file: int, prefix: str) -> None:
        self.file = file
        self._prefix = prefix
        self._begun = b""

    def pass_on(self) -> bool:
        """Print the whole lines that have come; False once nothing more can come."""
        read = os.read(self.file, READ_BYTES)
        *lines, self._begun = (self._begun + read).split(b"\n")
        if not read and self._begun:
            lines, self._begun = [self._begun], b""
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            # What reads lines of JSON wants nothing else in them.
            say(text if text.startswith("{") else f"{self._prefix}{text}")
        return bool(read)


def prefixes(names: list[str]) -> dict[str, str]:
    """What stands before the lines of each process."""
    width = max(map(len, names))
    plain = {name: f"{name:<{width}} | " for name in names}
    if not sys.stdout.isatty():
        return plain
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    return {name: f"\033[{colours[name]}m{prefix}\033[0m" for name, prefix in plain.items()}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
