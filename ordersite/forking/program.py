"""What a line of the Procfile starts."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

#: A shell has to read a line with one of these.
FOR_A_SHELL = re.compile(r"[|&;<>()`\n*?~]")
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})")


class Program(NamedTuple):
    """A Python program that this process can become without starting another Python."""

    script: Path
    #: As `sys.argv` has them, the program's name first.
    words: list[str]
    #: How much the priority is lowered: nice(1).
    niceness: int = 0

    def run(self) -> None:
        """Run it as `python SCRIPT` would."""
        os.nice(self.niceness)
        sys.argv[:] = self.words
        runpy.run_path(str(self.script), run_name="__main__")


def program_of(command: str, environment: Mapping[str, str]) -> Program | None:
    """The program of this Python that the shell command starts; None where it is another one."""
    if FOR_A_SHELL.search(command):
        return None
    words = shlex.split(with_variables(command, environment))
    niceness = 0
    if words[:2] == ["nice", "-n"]:
        niceness, words = int(words[2]), words[3:]
    found = shutil.which(words[0], path=environment.get("PATH"))
    if found is None or Path(found).parent != Path(sys.executable).parent:
        return None
    if words[0] == "python" and words[1].endswith(".py"):
        return Program(Path(words[1]), words[1:], niceness)
    if is_python_script(Path(found)):
        return Program(Path(found), [found, *words[1:]], niceness)
    return None


def is_python_script(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(200)
    return first.startswith(b"#!") and b"python" in first


def with_variables(command: str, environment: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME:-default}` replaced, as a shell does it."""

    def value(found: re.Match[str]) -> str:
        name, default = found[1] or found[2], found[3] or ""
        return environment.get(name) or default

    return VARIABLE.sub(value, command)


def run_in_shell(command: str, environment: Mapping[str, str]) -> NoReturn:
    """Become the program that the command starts."""
    os.execvpe("sh", ["sh", "-c", f"exec {command}"], environment)  # noqa: S606, S607
