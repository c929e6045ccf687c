"""`python manage.py up`"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ordersite.forking.starts import starts


class Command(BaseCommand):
    help = (
        "Run every process of the Procfile until stopped, for a small server or a single "
        "container. They share the memory of the libraries, which are imported once. A process "
        "that dies is started again; if one cannot run, all end."
    )
    requires_system_checks: Sequence[str] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--folder",
            type=Path,
            help="the folder with settings of single processes: web.env and so on, as `access "
            "apply --folder` writes them",
        )

    def handle(self, *args: Any, folder: Path | None, **options: Any) -> None:
        if folder is not None and not folder.is_dir():
            raise CommandError(f"--folder {folder} is not a folder, for example: /etc/ordersite")
        # Without Django, of which each process has its own.
        give_as_input(json.dumps(starts(folder)).encode())
        os.chdir(settings.BASE_DIR)
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        environment = {**os.environ, "PATH": programs, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "ordersite.forking"]
        os.execve(sys.executable, command, environment)  # noqa: S606


def give_as_input(text: bytes) -> None:
    """Let the program that this process becomes read it as its standard input."""
    file = os.memfd_create("starts")
    with open(file, "wb", closefd=False) as writing:
        writing.write(text)
    os.lseek(file, 0, os.SEEK_SET)
    os.dup2(file, 0)
