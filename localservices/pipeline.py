"""The pipeline's processes, run together in one terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from localservices.process import with_parent

ROOT = Path(__file__).parent.parent
#: Each process's id, in a file of its name.
PIDS = ROOT / ".local/pids"
#: Longer than the pipeline itself gives its processes.
STOP_SECONDS = 20
#: https://devcenter.heroku.com/articles/procfile
PROCFILE_LINE = re.compile(r"(?m)^([A-Za-z0-9_-]+):\s*(.+)$")
#: As environs reads a setting, which is not imported here: the drills start other checkouts.
TRUE = ("true", "t", "1", "yes", "y", "on")


class Pipeline:
    """The process that forks all others, prints their lines, and starts again what dies.

    with Pipeline() as pipeline:   # it imports the libraries meanwhile
        pipeline.start({"relay": {"command": "python manage.py relay", "environment": {}}})
        exit_code = pipeline.wait()
    """

    def __enter__(self) -> Self:
        # The kernel ends it with this thread, and all others with it.
        self._parent = subprocess.Popen(
            with_parent([sys.executable, "-m", "ordersite.forking", str(PIDS)]),
            stdin=subprocess.PIPE,
            env=process_environment(),
            cwd=ROOT,
            # Ctrl-C is for us: each process is asked to stop alone, without its children.
            process_group=0,
        )
        return self

    def start(self, starts: Mapping[str, Mapping[str, object]]) -> None:
        """Start all: the shell `command` of each by its name, and the `environment` of its own."""
        assert self._parent.stdin is not None
        with suppress(BrokenPipeError), self._parent.stdin as asked:
            asked.write(json.dumps(starts).encode())

    @property
    def runs(self) -> bool:
        return self._parent.poll() is None

    def wait(self) -> int:
        """Wait until a process cannot run, which its lines tell; returns the exit code."""
        return self._parent.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._parent.terminate()
        try:
            self._parent.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._parent.kill()


def procfile(root: Path = ROOT) -> dict[str, str]:
    """The shell command of each process by its name, from the Procfile of the checkout `root`.

    A service that is not in it has a worker like the others.
    """
    commands = lines_of(root / "Procfile")
    for name in service_names(root):
        if (own := own_procfile(root, name)).exists():
            commands |= lines_of(own)
        commands.setdefault(name, worker_command(name))
    return commands


def own_procfile(root: Path, service: str) -> Path:
    """What a service has that runs only where the setting of its name says so."""
    return root / f"Procfile.{service}"


def lines_of(procfile: Path) -> dict[str, str]:
    """The commands in the file by the names of their processes."""
    return dict(PROCFILE_LINE.findall(procfile.read_text()))


def service_names(root: Path = ROOT) -> list[str]:
    """The services that run: a setting may turn one on."""
    return [
        name
        for name in service_packages(root)
        if is_on(name) or not own_procfile(root, name).exists()
    ]


def service_packages(root: Path = ROOT) -> list[str]:
    """The packages that declare a service, whether it runs or not."""
    files = sorted(root.glob("*/service.py"))
    return [file.parent.name for file in files if (file.parent / "apps.py").exists()]


def is_on(optional: str) -> bool:
    """Whether the setting of this name turns the service on, as the settings read it."""
    return os.environ.get(optional.upper(), "").lower() in TRUE


def worker_command(service: str) -> str:
    return f"celery --quiet -A celery_app worker -Q {service} -n {service}@%h --concurrency 2"


def process_environment() -> dict[str, str]:
    """The environment of a process: ours, with this Python's programs first on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
