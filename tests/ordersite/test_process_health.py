"""A probe of one process: from its heartbeat, or from what the web server answers."""

from __future__ import annotations

import json
import time
from argparse import ArgumentTypeError
from pathlib import Path

import pytest
from django.test import Client

from ordersite.management.commands.serve import port
from runtime import health, heartbeat_file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The heartbeat file that the settings name; this process has not written it."""
    path = tmp_path / "heartbeat"
    monkeypatch.setenv("HEARTBEAT_FILE", str(path))
    monkeypatch.setattr(heartbeat_file, "_process", "")
    monkeypatch.setattr(heartbeat_file, "_last_beat", -1.0)
    return path


def test_a_process_that_beats_works(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heartbeat_file.begin("relay")

    assert health.main(["relay"]) == 0
    assert capsys.readouterr().out == "relay works.\n"


def test_only_a_process_that_has_begun_writes(file: Path) -> None:
    heartbeat_file.beat()

    assert not file.exists()
    assert "relay has not written" in health.trouble_of("relay")


def test_it_writes_once_a_second(file: Path) -> None:
    heartbeat_file.begin("relay")
    file.unlink()
    heartbeat_file.beat()

    assert not file.exists()


def test_a_process_that_stands_still_is_told(file: Path) -> None:
    file.write_text(
        json.dumps({"process": "relay", "pid": 1, "at": time.monotonic() - 99, "trouble": ""})
    )

    assert health.main(["relay"]) == 1
    assert "no heartbeat for 99 s" in health.trouble_of("relay")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"process": "relay", "pid": 1, "at": "x"}'])
def test_a_file_of_something_else_is_told(file: Path, content: str) -> None:
    file.write_text(content)

    assert "relay has not written" in health.trouble_of("relay")


def test_a_scheduler_whose_job_hangs_does_not_work(file: Path) -> None:
    heartbeat_file.begin("scheduler")
    heartbeat_file._last_beat = -1.0
    heartbeat_file.beat("scheduler: reconcile does not end; start it again.")

    assert "reconcile does not end" in health.trouble_of("scheduler")


def test_two_processes_need_two_files(file: Path) -> None:
    heartbeat_file.begin("archiver")

    assert "written by archiver" in health.trouble_of("relay")


def test_a_disk_that_takes_nothing_costs_the_process_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARTBEAT_FILE", str(file / "is" / "no" / "folder"))
    heartbeat_file.begin("relay")

    assert "relay has not written" in health.trouble_of("relay")


def test_without_the_setting_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARTBEAT_FILE", raising=False)

    assert "HEARTBEAT_FILE=/tmp/relay.heartbeat" in health.trouble_of("relay")


def test_a_web_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "1")

    assert "does not answer on port 1" in health.trouble_of("web")


@pytest.mark.parametrize("value", ["", "0", "-1", "99999", "9" * 5000, "web", "\u0663"])
def test_a_port_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WEB_PORT", value)

    assert "for example: WEB_PORT=8000" in health.trouble_of("web")
    if value != "0":
        with pytest.raises(ArgumentTypeError, match="from 0 to 65535"):
            port(value)


@pytest.mark.parametrize("arguments", [[], ["billing"], ["web", "relay"]])
def test_an_unknown_process_is_a_wrong_use(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert health.main(arguments) == 2
    assert "web | relay | worker | archiver | scheduler" in capsys.readouterr().err


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("path", ["/health/live", "/health/serving"])
def test_a_probe_asks_at_an_address(path: str) -> None:
    assert Client(SERVER_NAME="10.0.0.7").get(path).status_code == 200
    assert Client(SERVER_NAME="10.0.0.7").get("/orders").status_code == 400
    assert Client(SERVER_NAME="localhost").post(path).status_code == 405
