"""Who takes part, and what each is started with."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import system
from benchmarks.contender import Contender
from benchmarks.contenders import CONTENDERS
from benchmarks.installing import FOLDER
from benchmarks.ours import Ours
from benchmarks.webhooks import WithWebhooks
from localservices.pipeline import process_environment
from ordersite.forking.program import program_of

PIN = re.compile(r"^([\w.-]+)==", re.MULTILINE)
NAME = re.compile(r"^[\w.-]+", re.MULTILINE)


@pytest.mark.parametrize("contender", CONTENDERS.values(), ids=CONTENDERS)
def test_each_has_a_web_server_and_a_consumer_of_each_queue(
    contender: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.installing.python_of", lambda peer: Path("/venv/bin/python"))
    monkeypatch.setattr("benchmarks.installing.node_program", lambda folder: folder)
    contender.install()

    commands = contender.commands()

    assert commands["web"].consumes is None
    assert {"inventory", "billing"} <= {each.consumes for each in commands.values()}


@pytest.mark.parametrize("asked", [*FOLDER.glob("requirements-*.in")], ids=lambda file: file.stem)
def test_every_package_of_a_peer_is_pinned(asked: Path) -> None:
    wanted = {name.lower() for name in NAME.findall(asked.read_text())}

    assert wanted
    assert wanted <= set(PIN.findall(asked.with_suffix(".txt").read_text()))


@pytest.mark.parametrize("contender", [Ours(), WithWebhooks()], ids=lambda each: each.name)
def test_each_of_our_processes_is_a_fork_as_make_run_starts_them(contender: Ours) -> None:
    environment = {**process_environment(), "COPY": "3", "WEB_PORT": "8000"}

    programs = {
        name: program_of(each.line, environment) for name, each in contender.commands().items()
    }

    assert None not in programs.values()
    assert "inventory3@%h" in programs["inventory"].words


def test_each_of_our_processes_has_its_own_login(tmp_path: Path) -> None:
    (tmp_path / "relay.env").write_text("AMQP_URL=amqp://relay\n")
    (tmp_path / "deliverer.env").write_text("AMQP_URL=amqp://deliverer\n")

    assert Ours().own_settings("relay", tmp_path) == {"AMQP_URL": "amqp://relay"}
    assert Ours().own_settings("deliverer", tmp_path) == {"AMQP_URL": "amqp://deliverer"}
    assert CONTENDERS["node"].own_settings("web", tmp_path) == {}


def test_memory_is_that_of_our_processes_with_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "fork_server", lambda: SimpleNamespace(pid=7))
    for name, topmost in (("ours", [7]), ("node", [8])):
        ground = SimpleNamespace(name="ground")
        observed = system.System(CONTENDERS[name], ground, Path("logs"), copies=1)
        observed.processes["web"].append(SimpleNamespace(pid=8))
        assert observed.topmost() == topmost
