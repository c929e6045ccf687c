"""Who takes part, and what each is started with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.contender import Contender
from benchmarks.contenders import CONTENDERS
from benchmarks.installing import FOLDER

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
