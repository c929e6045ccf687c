"""A probe of one process: from its heartbeat, or from what the web server answers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest
import uvloop
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from localservices.ports import free_port
from ordersite.management.commands.serve import port
from ordersite.pipeline import health as pipeline_health
from ordersite.web import server
from ordersite.web.probes import Probes
from runtime import health, heartbeat_file, waiting
from runtime.process_start import start_of
from runtime.stopping import StopRequest
from runtime.waiting import wait_for
from tests import loopback


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The heartbeat file that the settings name; this process has not written it."""
    path = tmp_path / "heartbeat"
    monkeypatch.setenv("HEARTBEAT_FILE", str(path))
    monkeypatch.setattr(heartbeat_file, "_process", "")
    monkeypatch.setattr(heartbeat_file, "_written_at", -1.0)
    monkeypatch.setattr(heartbeat_file, "_written", ("", ""))
    monkeypatch.setattr(heartbeat_file, "_cannot_write", "")
    return path


def write(file: Path, **said: Any) -> None:
    """As a relay would that began with this test, and has just written it."""
    own = {"process": "relay", "pid": os.getpid(), "started": start_of(os.getpid())}
    now = {"at": time.monotonic(), "trouble": "", "waits_for": ""}
    file.write_text(json.dumps({**own, **now, **said}))


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
    heartbeat_file.beat()
    file.unlink()
    heartbeat_file.beat()

    assert not file.exists()


def test_one_that_waits_works_and_is_not_ready(file: Path) -> None:
    """A release that waits for its migrations does not end the one that it replaces."""
    heartbeat_file.begin("relay")
    assert health.main(["relay"]) == 0
    assert health.trouble_of("relay", is_to_be_ready=True) == "relay waits for its start."

    stop = StopRequest()
    whys = iter(["not applied: orders.0009.", ""])
    stop.wait = lambda seconds: None  # type: ignore[method-assign]
    wait_for("the database's migrations", lambda: next(whys), stop)
    assert health.main(["relay"]) == 0
    assert "waits for the database's migrations" in health.trouble_of("relay", is_to_be_ready=True)

    heartbeat_file.beat()
    assert health.main(["--ready", "relay"]) == 0


def test_a_file_that_a_former_container_left_says_nothing_of_this_one(file: Path) -> None:
    """Its processes have the same ids again."""
    write(file, started="1")

    assert health.main(["relay"]) == 1
    assert "has ended" in health.trouble_of("relay")


def test_one_that_was_killed_is_told_at_once(file: Path) -> None:
    write(file, pid=2**22 + 1)

    assert "has ended" in health.trouble_of("relay")


def test_a_file_of_before_the_machine_started_anew_says_nothing(file: Path) -> None:
    write(file, at=time.monotonic() + 99)

    assert health.main(["relay"]) == 1


def test_the_time_of_day_may_jump(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat_file.begin("relay")
    for year in (1970, 2100):
        monkeypatch.setattr(time, "time", lambda year=year: (year - 1970) * 31_557_600.0)

        assert health.trouble_of("relay") == ""


def test_two_of_a_kind_with_one_file_are_told(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = os.getppid()
    write(file, pid=other, started=start_of(other))

    heartbeat_file.begin("relay")

    assert "Give each a file of its own: HEARTBEAT_FILE" in caplog.text


def test_a_process_that_stands_still_is_told(file: Path) -> None:
    write(file, at=time.monotonic() - 99)

    assert health.main(["relay"]) == 1
    assert "no heartbeat for 99 s" in health.trouble_of("relay")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"process": "relay", "pid": 1, "at": "x"}'])
def test_a_file_of_something_else_is_told(file: Path, content: str) -> None:
    file.write_text(content)

    assert "relay has not written" in health.trouble_of("relay")


def test_a_scheduler_whose_job_hangs_does_not_work(file: Path) -> None:
    heartbeat_file.begin("scheduler")
    heartbeat_file.beat("scheduler: reconcile does not end; start it again.")

    assert "reconcile does not end" in health.trouble_of("scheduler")


def test_two_processes_need_two_files(file: Path) -> None:
    heartbeat_file.begin("archiver")

    assert "written by archiver" in health.trouble_of("relay")


def test_a_disk_that_takes_nothing_costs_the_process_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HEARTBEAT_FILE", str(file / "is" / "no" / "folder"))
    heartbeat_file.begin("relay")
    heartbeat_file.beat()

    assert "relay has not written" in health.trouble_of("relay")
    (line,) = caplog.messages
    assert "The probe will not see that this process works" in line
    assert str(file) in line


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


def test_web_listens_on_every_network_of_both_protocols() -> None:
    """A cluster may have IPv6 alone, and the probe asks at 127.0.0.1."""
    number = free_port()

    async def reach() -> None:
        host = server.listening(server.EVERY_NETWORK)
        listening = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, number)
        for address in loopback.addresses():
            _, writer = await asyncio.open_connection(address, number)
            writer.close()
        listening.close()

    uvloop.run(reach())


@pytest.mark.parametrize("arguments", [[], ["billing"], ["web", "relay"]])
def test_an_unknown_process_is_a_wrong_use(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert health.main(arguments) == 2
    assert "web | relay | worker | archiver | scheduler" in capsys.readouterr().err


@pytest.mark.usefixtures("clean")
def test_web_serves_once_the_database_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_health, "_is_migrated", False)
    monkeypatch.setattr(waiting, "unapplied", lambda: ["orders.0009"])
    assert Client(SERVER_NAME="localhost").get("/health/serving").status_code == 503

    monkeypatch.undo()
    assert Client(SERVER_NAME="localhost").get("/health/serving").status_code == 200


@pytest.mark.usefixtures("clean")
def test_prometheus_asks_at_an_address_too() -> None:
    answer = Client(headers={"host": "10.0.0.7:8000"}).get("/metrics")

    assert answer.status_code == 200
    assert b"ordersite_dependency_up" in answer.content


def names_host(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.get_host())


@pytest.mark.parametrize(
    ("allowed", "asked", "named"),
    [
        (["shop.example"], "10.0.0.7:8000", "shop.example"),
        (["shop.example"], "shop.example:8000", "shop.example:8000"),
        (["", ".shop.example"], "10.0.0.7", "shop.example"),
        (["*"], "10.0.0.7", "10.0.0.7"),
        (["*"], "no host", "localhost"),
        (["[::1]"], "10.0.0.7", "[::1]"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8000", "https://elsewhere.example/shop"])
def test_metrics_are_asked_of_a_host_that_is_allowed_whatever_address_the_site_has(
    allowed: list[str], asked: str, named: str, url: str
) -> None:
    request = RequestFactory().get("/metrics", headers={"host": asked})

    with override_settings(ALLOWED_HOSTS=allowed, SITE_URL=url):
        assert Probes(names_host)(request).content.decode() == named


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("path", ["/health/live", "/health/serving"])
def test_a_probe_asks_at_an_address(path: str) -> None:
    assert Client(SERVER_NAME="10.0.0.7").get(path).status_code == 200
    assert Client(SERVER_NAME="10.0.0.7").get("/orders").status_code == 400
    assert Client(SERVER_NAME="localhost").post(path).status_code == 405


def test_a_probe_imports_little(programs: None) -> None:
    """It runs every few seconds in each container, and what it imports is what it costs."""
    script = "import sys, runtime.health; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()

    assert {"logging", "dataclasses", "http.client", "django"} & {*modules} == set()
