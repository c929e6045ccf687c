"""`make run`, as a new user meets it, in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import pytest

from drills.cluster.checkout import copy_to
from localservices.process import Process
from tests.polling import PATIENCE_SECONDS, eventually

ROOT = Path(__file__).parent.parent.parent

#: What the tests set for themselves; a new user's environment names no services.
OURS = ("MONGODB_", "AMQP_", "RABBITMQ_", "DJANGO_", "RETRY_DELAYS_SECONDS", "DELIVERY_LIMIT")

pytestmark = pytest.mark.usefixtures("programs")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which nothing ever ran, with the installed Python packages."""
    copy = copy_to(tmp_path / "project")
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


@pytest.fixture
def new_run(project: Path) -> Iterator[Process]:
    run = Process("run", ["make", "run"], project / "run.log", new_users_environment(), project)
    yield run
    # At once: the orderly end has its own test.
    family = psutil.Process(run.pid).children(recursive=True) if run.running else []
    run.kill()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_a_new_user_places_an_order_stops_and_finds_it_again(
    new_run: Process, project: Path
) -> None:
    """
    Given a machine on which nothing runs yet
    When `make run` tells its addresses, the order of its table is placed, a newcomer takes the
    first steps, and both services die
    Then they are started again, the order is there, a second `make run` is refused, Ctrl-C leaves
    nothing running, and the next `make run` finds the order under the same addresses.
    """
    web = start(new_run)
    order = place_order(web)
    walked = walk(project, web)
    assert walked.returncode == 0, walked.stderr
    assert "It was replayed, and its order confirmed" in walked.stdout
    second = make_run(project)
    assert second.returncode != 0
    assert "runs already" in second.stderr
    for program in ("mongod", "beam.smp"):
        die(new_run, program)
    for service in ("MongoDB", "RabbitMQ"):
        told = f"{service} ended with exit code -9. It is started again."
        eventually(lambda told=told: told in new_run.log.read_text())
    eventually(lambda: is_answered(f"{web}/health/ready"))

    family = psutil.Process(new_run.pid).children(recursive=True)
    press_ctrl_c(new_run)
    assert "Traceback" not in new_run.log.read_text()
    assert not psutil.wait_procs(family, timeout=60)[1]

    new_run.log.unlink()
    assert start(new_run) == web
    with urlopen(f"{web}/orders/{order['orderId']}", timeout=60) as response:
        assert json.load(response)["orderId"] == order["orderId"]


def test_a_process_that_cannot_start_is_told_and_nothing_stays(
    new_run: Process, project: Path
) -> None:
    lines = (project / "Procfile").read_text()
    (project / "Procfile").write_text(lines + "broken: python manage.py no_such_command\n")
    new_run.start()
    assert eventually(lambda: new_run.exit_code) != 0
    log = new_run.log.read_text()
    assert "broken    | Unknown command: 'no_such_command'" in log
    assert "broken ended with exit code 1, so everything was stopped" in log


def start(run: Process) -> str:
    """Start it, wait for its table, and return the site's address."""
    run.start()

    def told() -> re.Match[str] | None:
        assert run.running, run.log_tail()
        return re.search(r"API +(http://localhost:\d+)/orders", run.log.read_text())

    return eventually(told)[1]


def walk(project: Path, web: str) -> subprocess.CompletedProcess[str]:
    """Take the first steps as a newcomer does: an order, a failure, a replay."""
    return subprocess.run(
        [".venv/bin/python", "-m", "localservices.first_steps", web],
        cwd=project,
        env=new_users_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def make_run(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "run"],
        cwd=project,
        env=new_users_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def place_order(web: str, user_id: int = 101) -> dict[str, str]:
    body = json.dumps({"userId": user_id, "items": ["book", "pen"]}).encode()
    request = Request(f"{web}/orders", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as response:
        assert response.status == 201
        order: dict[str, str] = json.load(response)["order"]
    return order


def die(run: Process, program: str) -> None:
    family = psutil.Process(run.pid).children(recursive=True)
    [process] = [each for each in family if each.name() == program]
    process.kill()


def is_answered(address: str) -> bool:
    try:
        with urlopen(address, timeout=60):
            return True
    except OSError:
        return False


def press_ctrl_c(run: Process) -> None:
    """A terminal sends the signal to everything in its foreground."""
    os.killpg(run.pid, signal.SIGINT)
    eventually(lambda: not run.running)


def new_users_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
