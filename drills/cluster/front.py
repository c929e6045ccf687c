"""The proxy before the site, as `deploy/proxy` has it, on a port of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drills.waiting import wait_until
from localservices.pipeline import ROOT
from localservices.ports import free_port
from localservices.process import Process

CONFIGURATION = ROOT / "deploy" / "proxy"
START_SECONDS = 120


class NoNginx(Exception):
    """It is not installed."""


@contextmanager
def nginx_before(port: int, folder: Path) -> Iterator[int]:
    """nginx before the server at this port; yields the port that it listens on.

    Raises:
        NoNginx: see there.
    """
    program = nginx_program()
    own_port = free_port()
    configured = written(folder / "nginx", port, own_port)
    command = [program, "-p", str(configured), "-c", str(configured / "nginx.conf")]
    nginx = Process("nginx", command, folder / "nginx.log", dict(os.environ), folder)
    nginx.start()
    try:
        pid = configured / "run.pid"
        wait_until(pid.exists, START_SECONDS, f"Starting nginx\n{nginx.log_tail()}")
        yield own_port
    finally:
        nginx.stop()


def nginx_program() -> str:
    """Raises NoNginx: it is not installed."""
    # Debian puts it where only root has it in the PATH.
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise NoNginx("nginx is not installed: apt-get install nginx-light")
    return program


def written(folder: Path, port: int, own_port: int) -> Path:
    """The shipped files with these ports, and with folders that any user may write to."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CONFIGURATION, folder)
    replace(folder / "nginx.conf", "/tmp/ordersite-nginx", f"{folder}/run")
    replace(folder / "nginx.conf", "web:8000", f"127.0.0.1:{port}")
    # As root its workers would be another user, who may not read a test's folder.
    own = "daemon off;\nuser root;\n" if os.geteuid() == 0 else "daemon off;\n"
    replace(folder / "nginx.conf", "error_log", f"{own}error_log")
    replace(folder / "listen.conf", "listen 8080;", f"listen 127.0.0.1:{own_port};")
    return folder


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file} has no {old!r}"
    file.write_text(text.replace(old, new))
