"""The parts start in any order: whoever comes first says what it waits for, and waits."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localservices.mongodb import MongoDB
from localservices.pipeline import process_environment, procfile
from localservices.process import Process
from localservices.rabbitmq import RabbitMQ
from runtime import health
from tests.journeys.api import Api
from tests.polling import eventually
from tests.processes import ROOT, Processes

ALL_BUT_WEB = tuple(name for name in procfile() if name != "web")


@pytest.fixture
def mongodb(programs: None, tmp_path: Path) -> Iterator[MongoDB]:
    """One of its own, which nobody has started or migrated."""
    own = MongoDB(tmp_path / "mongodb")
    yield own
    own.kill()


@pytest.fixture
def rabbitmq(tmp_path: Path) -> Iterator[RabbitMQ]:
    """One of its own, which nobody has started."""
    own = RabbitMQ(tmp_path / "rabbitmq")
    yield own
    own.kill()


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Processes]:
    """Starts real processes by their commands, without the suite's services."""
    processes = Processes(tmp_path, as_forks=False)
    yield processes
    processes.stop()


@pytest.mark.parametrize("first", ["mongodb", "rabbitmq"])
def test_every_process_before_its_services(
    pipeline: Processes,
    mongodb: MongoDB,
    rabbitmq: RabbitMQ,
    tmp_path: Path,
    first: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {
        "MONGODB_URL": mongodb.url,
        "AMQP_URL": rabbitmq.url,
        "RABBITMQ_MANAGEMENT_URL": rabbitmq.management_url,
    }
    api = Api(pipeline.start_web(**settings))
    heartbeats = {name: str(tmp_path / f"{name}.heartbeat") for name in ALL_BUT_WEB}
    processes = [
        pipeline.run(name, procfile()[name], HEARTBEAT_FILE=heartbeats[name], **settings)
        for name in ALL_BUT_WEB
    ]
    processes.append(pipeline.web)
    for process in processes:
        eventually(lambda process=process: "Waiting for MongoDB at" in said(process))
        # As a container's first process it gets no signal that it has no handler for.
        assert catches(process.pid, signal.SIGTERM), process.name
    assert api.post(101).status == 503
    assert api.ask("GET", "/health/serving").status == 503
    assert_they_work(monkeypatch, heartbeats)

    services = [mongodb, rabbitmq] if first == "mongodb" else [rabbitmq, mongodb]
    services[0].start()
    services[1].start()
    waits_for_migrations = "Waiting for the database's migrations (python manage.py migrate)"
    eventually(lambda: waits_for_migrations in said(processes[ALL_BUT_WEB.index("billing")]))
    prepare(tmp_path, settings)

    eventually(lambda: api.post(101).status == 201)
    order_id = api.place(102)
    eventually(lambda: api.status(order_id) == "confirmed")
    eventually(lambda: api.ask("GET", "/health/ready").status == 200)
    for process in processes:
        assert process.running, process.name
        log = said(process)
        assert "Traceback" not in log, log
        assert len(re.findall("Waiting for MongoDB at", log)) == 1, log
        assert len(re.findall("Waiting for RabbitMQ at", log)) <= 1, log
    assert api.ask("GET", "/health/serving").status == 200
    assert_they_work(monkeypatch, heartbeats)


@pytest.mark.parametrize("missing", ["MongoDB", "RabbitMQ"])
def test_each_that_waits_ends_at_once_when_it_is_asked(
    services: None, tmp_path: Path, missing: str
) -> None:
    """With exit code 0: what started it takes that for a stop, and any other for a failure."""
    nobody = {
        "MongoDB": {"MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=rs0"},
        "RabbitMQ": {"AMQP_URL": "amqp://guest:guest@127.0.0.1:1//"},
    }
    names = {"relay", "billing", "archiver"} | ({"scheduler"} if missing == "MongoDB" else set())
    pipeline = Processes(tmp_path)
    try:
        waiting = [pipeline.run(name, procfile()[name], **nobody[missing]) for name in names]
        for process in waiting:
            eventually(lambda process=process: f"Waiting for {missing} at" in said(process))

        # One that takes long is killed, which is another code.
        assert {process.name: process.stop() for process in waiting} == dict.fromkeys(names, 0)
    finally:
        pipeline.stop()


def said(process: Process) -> str:
    return process.log.read_text(errors="replace")


def prepare(folder: Path, settings: dict[str, str]) -> None:
    """Migrate and load the demo products, as an operator would."""
    preparing = Process(
        "preparing",
        [sys.executable, "-m", "localservices.preparing"],
        folder / "preparing.log",
        env={**process_environment(), **os.environ, **settings},
        cwd=ROOT,
    )
    preparing.start()
    assert preparing.wait() == 0, preparing.log_tail()


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for the signal: proc(5), SigCgt."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return bool(caught >> (number - 1) & 1)


def assert_they_work(monkeypatch: pytest.MonkeyPatch, heartbeats: dict[str, str]) -> None:
    """Each as its own probe sees it."""
    for name, path in heartbeats.items():
        monkeypatch.setenv("HEARTBEAT_FILE", path)
        process = name if name in health.PROCESSES else "worker"
        eventually(lambda process=process: health.trouble_of(process) == "")
