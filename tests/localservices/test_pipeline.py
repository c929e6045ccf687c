"""Several processes in one terminal: their lines, and their end."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil
import pytest

import localservices.pipeline
from localservices.pipeline import Pipeline, procfile, service_names
from tests.polling import eventually

FOR_EVER = "sleep 1000"


@pytest.mark.usefixtures("programs")
def test_every_line_has_its_process_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Pipeline({"web": "echo listening", "relay": FOR_EVER}) as pipeline:
        pipeline.start()
        assert pipeline.follow() == ("web", 0)
    assert "web   | listening" in capsys.readouterr().out


@pytest.mark.usefixtures("programs")
def test_a_process_that_ends_at_once_is_told_with_its_exit_code_and_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = "sh -c 'echo no such setting >&2; exit 3'"
    with Pipeline({"web": FOR_EVER, "relay": broken}) as pipeline:
        pipeline.start()
        assert pipeline.follow() == ("relay", 3)
    assert "relay | no such setting" in capsys.readouterr().out


@pytest.mark.usefixtures("programs")
def test_what_dies_is_started_again_and_what_is_stopped_stays_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given two processes that have run for a while
    When one is killed and the other is asked to stop
    Then the first is started again, and once more, and the second is left alone.
    """
    monkeypatch.setattr(localservices.pipeline, "STEADY_SECONDS", 0.0)
    with Pipeline({"billing": "sleep 1001", "orders": "sleep 1002"}) as pipeline:
        pipeline.start()
        Thread(target=pipeline.follow, daemon=True).start()
        killed = [kill("sleep 1001", signal.SIGKILL) for _ in range(2)]
        kill("sleep 1002", signal.SIGTERM)
        eventually(lambda: "orders was stopped" in capsys.readouterr().out)

        assert len(set(killed)) == 2
        eventually(lambda: pids_of("sleep 1001"))
        assert pids_of("sleep 1002") == []


def kill(command: str, number: signal.Signals) -> int:
    [pid] = eventually(lambda: pids_of(command))
    psutil.Process(pid).send_signal(number)
    eventually(lambda: pid not in pids_of(command))
    return pid


def pids_of(command: str) -> list[int]:
    """Those of our own children that run this command."""
    children = psutil.Process().children(recursive=True)
    return [each.pid for each in children if " ".join(cmdline(each)) == command]


def cmdline(process: psutil.Process) -> list[str]:
    """Nothing of one that has just ended."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


@pytest.mark.usefixtures("programs")
def test_all_processes_have_ended_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a child that nobody asked to end, which is killed a while later."""
    monkeypatch.setattr(localservices.pipeline, "STOP_SECONDS", 0.3)
    before = set(psutil.Process().children(recursive=True))
    with Pipeline({"web": FOR_EVER, "relay": "sh -c 'sleep 1000 & wait'"}) as pipeline:
        pipeline.start()
        started = set(psutil.Process().children(recursive=True)) - before
        assert started
    eventually(lambda: not any(process.is_running() for process in started))


@pytest.mark.usefixtures("programs")
def test_a_worker_is_asked_to_end_before_its_children(tmp_path: Path) -> None:
    """A Celery worker whose pool children got the signal too would lose what they work on."""
    log = tmp_path / "log"
    script = tmp_path / "worker.sh"
    script.write_text(
        f"(trap 'echo child got the signal >> {log}' TERM; while :; do sleep 0.05; done) &\n"
        f"trap 'echo worker finishes >> {log}; kill -KILL $!; exit 0' TERM\n"
        f"echo started >> {log}\n"
        "while :; do sleep 0.05; done\n"
    )
    with Pipeline({"billing": f"sh {script}"}) as pipeline:
        pipeline.start()
        eventually(log.exists)
    assert log.read_text().splitlines() == ["started", "worker finishes"]


def test_the_procfile_names_every_process_of_the_pipeline() -> None:
    services = {"inventory", "billing", "orders"}
    assert set(service_names()) == services
    assert set(procfile()) == {"web", "relay", "archiver", "scheduler"} | services
