"""How each process of this installation is started."""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.conf import settings
from dotenv import dotenv_values

from messaging.service import services
from ordersite.forking.supervisor import Start
from runtime import heartbeat_file

#: https://devcenter.heroku.com/articles/procfile
LINE = re.compile(r"(?m)^([A-Za-z0-9_-]+):\s*(.+)$")
WORKER = "celery --quiet -A celery_app worker -Q {0} -n {0}@%h --concurrency 2"


def starts(folder: Path | None = None) -> dict[str, Start]:
    """Every process by its name, with what it gets beside our environment.

    Args:
        folder: has a file with settings of its own for some of them: `billing.env` for `billing`.
    """
    return {
        name: {"command": command, "environment": own_settings(name, folder)}
        for name, command in commands().items()
    }


def commands() -> dict[str, str]:
    """The Procfile's lines; a service that has none has a worker like the others."""
    lines = lines_of(settings.BASE_DIR / "Procfile")
    for name in services():
        own = settings.BASE_DIR / f"Procfile.{name}"
        if own.exists():
            lines |= lines_of(own)
        lines.setdefault(name, WORKER.format(name))
    return lines


def lines_of(procfile: Path) -> dict[str, str]:
    return dict(LINE.findall(procfile.read_text()))


def own_settings(name: str, folder: Path | None) -> dict[str, str]:
    """What its file says, and a heartbeat of its own beside the one that we are told of."""
    heartbeat = os.environ.get(heartbeat_file.VARIABLE)
    own = {heartbeat_file.VARIABLE: f"{heartbeat}.{name}"} if heartbeat else {}
    if folder is not None:
        file = dotenv_values(folder / f"{name}.env", interpolate=False)
        own |= {key: value for key, value in file.items() if value is not None}
    return own
