"""A port that another program takes a moment before we listen on it costs a moment, no start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import amqp
import pytest
from pymongo import MongoClient

from localservices import run
from localservices.errors import ServiceFailed
from localservices.keeper import Keeper
from localservices.mongodb import MongoDB
from localservices.ports import free_port
from localservices.process import Process
from localservices.rabbitmq import RabbitMQ
from tests.localservices.test_run import new_users_environment, project  # noqa: F401
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("programs")


class LateMongoDB(MongoDB):
    """One whose port is taken between the check and the start."""

    thief: socket.socket | None = None

    def _prepare(self) -> Process:
        if self.thief is None:
            self.thief = listener(self.port)
        return super()._prepare()


class LateRabbitMQ(RabbitMQ):
    thieves: tuple[socket.socket, ...] = ()

    def _prepare(self) -> Process:
        if not self.thieves:
            names = ("port", "management_port", "distribution_port", "name_server_port")
            self.thieves = tuple(listener(getattr(self, name)) for name in names)
        return super()._prepare()


def listener(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


@pytest.fixture
def said() -> list[str]:
    return []


def test_mongodb_takes_another_port_and_says_so(tmp_path: Path, said: list[str]) -> None:
    mongodb = LateMongoDB(tmp_path)
    first = mongodb.port
    mongodb.on_move = said.append
    with mongodb:
        assert mongodb.port != first
        with MongoClient(mongodb.url) as client:
            assert client.admin.command("ping")["ok"]
    assert said == [f"Port {first} is taken, so MongoDB has port {mongodb.port} instead."]


def test_rabbitmq_takes_other_ports_and_says_so(tmp_path: Path, said: list[str]) -> None:
    rabbitmq = LateRabbitMQ(tmp_path)
    first = (rabbitmq.port, rabbitmq.management_port)
    rabbitmq.on_move = said.append
    with rabbitmq:
        assert {rabbitmq.port, rabbitmq.management_port}.isdisjoint(first)
        with amqp.Connection(f"127.0.0.1:{rabbitmq.port}") as connection:
            assert connection.channel().is_open
    assert any(f"Port {first[0]} is taken" in line for line in said)


def test_ports_that_nobody_was_told_change_in_any_start(tmp_path: Path) -> None:
    rabbitmq = RabbitMQ(tmp_path)
    with ExitStack() as taken:
        for port in (rabbitmq.distribution_port, rabbitmq.name_server_port):
            taken.enter_context(listener(port))
        with rabbitmq, amqp.Connection(f"127.0.0.1:{rabbitmq.port}") as connection:
            assert connection.channel().is_open


def test_where_clients_know_the_port_the_start_ends_and_says_which(tmp_path: Path) -> None:
    """In a few words, not in Erlang's."""
    rabbitmq = LateRabbitMQ(tmp_path)
    with pytest.raises(ServiceFailed) as failed:
        rabbitmq.start()
    rabbitmq.kill()

    assert f"cannot listen on port {rabbitmq.port}" in str(failed.value)
    assert len(str(failed.value)) < 300


def test_the_standard_port_or_another_one_which_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    standard = free_port()
    assert run.port_for("web", None, standard) == standard
    assert capsys.readouterr().out == ""
    with listener(standard):
        port = run.port_for("web", None, standard)
    assert capsys.readouterr().out == f"Port {standard} is taken, so web has port {port} instead.\n"


#: What it does while its port is its own, and that it ends where it is not.
WEB = (
    """python -c "import os, socket, time; """
    """server = socket.create_server(('127.0.0.1', int(os.environ['WEB_PORT']))); """
    """print('listens on', os.environ['WEB_PORT'], flush=True); time.sleep(1); exit(7)" """
)


def test_web_starts_again_on_another_port(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    taken = free_port()
    monkeypatch.setenv("WEB_PORT", str(taken))
    monkeypatch.setattr(run, "procfile", lambda: {"web": WEB})
    monkeypatch.setattr(run, "remember", os.environ.update)
    monkeypatch.setattr(run, "welcome", lambda settings: f"curl to {settings['WEB_PORT']}")
    with listener(taken), run.Pipeline() as pipeline:
        assert run.run_pipeline(pipeline, {"WEB_PORT": str(taken)}, Keeper(print)) == 1

    said, wrong = capfd.readouterr()
    assert "web ended with exit code 7" in wrong
    assert f"Port {taken} is taken, so web has port {os.environ['WEB_PORT']} instead." in said
    assert f"listens on {os.environ['WEB_PORT']}" in said
    assert f"curl to {os.environ['WEB_PORT']}" in said
    assert os.environ["WEB_PORT"] != str(taken)


@pytest.fixture
def two_projects(project: Path, tmp_path: Path) -> Iterator[list[Process]]:  # noqa: F811
    """`make services` in two checkouts."""
    other = tmp_path / "other"
    subprocess.run(["cp", "-a", project, other], check=True)
    command = [sys.executable, "-m", "localservices.run", "services"]
    started = [
        Process("services", command, each / "run.log", new_users_environment(), each)
        for each in (project, other)
    ]
    yield started
    for each in started:
        each.stop(40)


def test_two_checkouts_at_once(two_projects: list[Process]) -> None:
    for each in two_projects:
        each.start()
    urls = []
    for each in two_projects:
        eventually(lambda each=each: "RABBITMQ_MANAGEMENT_URL=" in told(each))
        urls += [line for line in told(each).splitlines() if "_URL=" in line]
    assert len(urls) == len(set(urls)) == 6


def told(each: Process) -> str:
    log = each.log.read_text(errors="replace") if each.log.exists() else ""
    assert each.running, log
    return log
