"""Runs a service of compose.yaml where its program is not on the machine but Docker is."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from localservices.process import Process

ROOT = Path(__file__).parent.parent
ENGINE_ANSWERS_WITHIN_SECONDS = 10


@cache
def is_available() -> bool:
    """Whether Docker has its compose plugin and its engine answers."""
    return _succeeds("docker", "compose", "version") and _succeeds("docker", "info")


def compose_service(name: str, log: Path, **ports: int) -> Process:
    """The process that runs one service of compose.yaml in the foreground.

    `ports` fill the variables that compose.yaml publishes the service on.
    """
    return Process(
        name,
        ["docker", "compose", "up", "--no-deps", name],
        log,
        env={**os.environ, **{variable: str(port) for variable, port in ports.items()}},
        cwd=ROOT,
    )


def _succeeds(*command: str) -> bool:
    try:
        result = subprocess.run(
            command, capture_output=True, timeout=ENGINE_ANSWERS_WITHIN_SECONDS, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0
