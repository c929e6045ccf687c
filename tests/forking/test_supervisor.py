"""Several processes in one terminal: their lines, and their end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.polling import eventually
from tests.processes import ROOT

FOR_EVER = "sleep 1000"
#: As `python -m ordersite.forking`, without the libraries, of which these processes need none.
SUPERVISOR = """
import sys
from ordersite.forking import __main__ as forking, preloading, supervisor
preloading.MODULES = ()
supervisor.STEADY_SECONDS, supervisor.STOP_SECONDS = map(float, sys.argv.pop(1).split())
sys.exit(forking.main())
"""

pytestmark = pytest.mark.usefixtures("programs")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the supervisor prints."""
    return tmp_path / "log"


@contextmanager
def supervised(
    commands: dict[str, str], log: Path, steady_seconds: float = 10, stop_seconds: float = 15
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the commands, and ends them afterwards."""
    with log.open("wb") as output:
        parent = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, f"{steady_seconds} {stop_seconds}", pids_in(log)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    starts = {name: {"command": each, "environment": {}} for name, each in commands.items()}
    assert parent.stdin
    with parent.stdin as asked:
        asked.write(json.dumps(starts).encode())
    try:
        yield parent
    finally:
        parent.terminate()
        parent.wait(30)


def test_every_line_has_its_process_before_it(log: Path) -> None:
    with supervised({"web": "echo listening", "relay": FOR_EVER}, log):
        eventually(lambda: "web was stopped" in log.read_text())
    assert "web   | listening\n" in log.read_text()


def test_a_line_of_json_stays_one(log: Path) -> None:
    with supervised({"web": """echo '{"message": "listening"}'"""}, log):
        eventually(lambda: "web was stopped" in log.read_text())
    assert json.loads(log.read_text().splitlines()[0]) == {"message": "listening"}


def test_a_process_that_ends_at_once_is_told_with_its_exit_code_and_reason(log: Path) -> None:
    broken = "sh -c 'echo no such setting >&2; exit 3'"
    with supervised({"web": FOR_EVER, "relay": broken}, log) as parent:
        assert parent.wait(30) == 1
    assert "relay | no such setting\n" in log.read_text()
    assert "relay ended with exit code 3, so everything was stopped." in log.read_text()


def test_it_ends_all_with_exit_code_0_when_it_is_asked(log: Path) -> None:
    with supervised({"billing": "sleep 1007", "relay": FOR_EVER}, log) as parent:
        eventually(lambda: pids_of(parent, "sleep 1007"))
        parent.terminate()
        assert parent.wait(30) == 0


def test_what_is_stopped_right_after_its_start_stays_so(log: Path) -> None:
    with supervised({"billing": "sleep 1005", "relay": FOR_EVER}, log) as parent:
        kill(parent, "sleep 1005", signal.SIGTERM)
        eventually(lambda: "billing was stopped" in log.read_text())
        assert pids_of(parent, FOR_EVER)


def test_what_ran_once_may_die_soon_after_it_was_started_again(log: Path) -> None:
    with supervised({"billing": "sleep 1006"}, log, steady_seconds=1) as parent:
        eventually(lambda: pids_of(parent, "sleep 1006"))
        steady_at = time.monotonic() + 1
        eventually(lambda: time.monotonic() > steady_at)
        for _ in range(3):
            kill(parent, "sleep 1006", signal.SIGKILL)
        eventually(lambda: pids_of(parent, "sleep 1006"))


def test_what_ran_once_and_then_dies_again_and_again_ends_all(tmp_path: Path, log: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "billing.sh"
    script.write_text(f"test -e {ran} || {{ touch {ran}; sleep 2; }}; exit 3\n")
    with supervised({"web": FOR_EVER, "billing": f"sh {script}"}, log, steady_seconds=1) as parent:
        assert parent.wait(30) == 1
    assert log.read_text().count("billing ended with exit code 3. It is started again.") == 6


def test_what_dies_is_started_again_and_what_is_stopped_stays_so(log: Path) -> None:
    """
    Given two processes that have run for a while
    When one is killed and the other is asked to stop
    Then the first is started again, and once more, and the second is left alone.
    """
    commands = {"billing": "sleep 1001", "orders": "sleep 1002"}
    with supervised(commands, log, steady_seconds=0) as parent:
        killed = [kill(parent, "sleep 1001", signal.SIGKILL) for _ in range(2)]
        kill(parent, "sleep 1002", signal.SIGTERM)
        eventually(lambda: "orders was stopped" in log.read_text())

        assert len(set(killed)) == 2
        eventually(lambda: pids_of(parent, "sleep 1001"))
        assert pids_of(parent, "sleep 1002") == []


def test_each_process_has_its_id_in_a_file_while_it_runs(log: Path) -> None:
    with supervised({"web": FOR_EVER, "billing": "sleep 1004"}, log, steady_seconds=0) as parent:
        [pid] = eventually(lambda: pids_of(parent, "sleep 1004"))
        billing = pids_in(log) / "billing"
        assert int(billing.read_text()) == pid

        # As the documentation has it.
        subprocess.run(f"kill $(cat {billing})", shell=True, check=True)
        eventually(lambda: "billing was stopped" in log.read_text())
        assert [file.name for file in pids_in(log).iterdir()] == ["web"]


def pids_in(log: Path) -> Path:
    return log.parent / "pids"


def kill(parent: subprocess.Popen[bytes], command: str, number: signal.Signals) -> int:
    [pid] = eventually(lambda: pids_of(parent, command))
    psutil.Process(pid).send_signal(number)
    eventually(lambda: pid not in pids_of(parent, command))
    return pid


def pids_of(parent: subprocess.Popen[bytes], command: str) -> list[int]:
    """Its children that run this command."""
    children = psutil.Process(parent.pid).children(recursive=True)
    return [each.pid for each in children if " ".join(cmdline(each)) == command]


def cmdline(process: psutil.Process) -> list[str]:
    """Nothing of one that has just ended."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def test_all_processes_have_ended_afterwards(log: Path) -> None:
    """Also a child that nobody asked to end, which is killed a while later."""
    commands = {"web": FOR_EVER, "relay": "sh -c 'sleep 1003 & wait'"}
    with supervised(commands, log, stop_seconds=0.3) as parent:
        eventually(lambda: pids_of(parent, "sleep 1003"))
        started = psutil.Process(parent.pid).children(recursive=True)
    eventually(lambda: not any(process.is_running() for process in started))


def test_all_processes_end_with_their_parent(log: Path) -> None:
    with supervised({"web": FOR_EVER, "relay": FOR_EVER}, log) as parent:
        eventually(lambda: len(pids_of(parent, FOR_EVER)) == 2)
        started = psutil.Process(parent.pid).children()
        parent.kill()
    eventually(lambda: not any(process.is_running() for process in started))


def test_a_worker_is_asked_to_end_before_its_children(tmp_path: Path, log: Path) -> None:
    """A Celery worker whose pool children got the signal too would lose what they work on."""
    did = tmp_path / "did"
    script = tmp_path / "worker.sh"
    script.write_text(
        f"(trap 'echo child got the signal >> {did}' TERM; while :; do sleep 0.05; done) &\n"
        f"trap 'echo worker finishes >> {did}; kill -KILL $!; exit 0' TERM\n"
        f"echo started >> {did}\n"
        "while :; do sleep 0.05; done\n"
    )
    with supervised({"billing": f"sh {script}"}, log):
        eventually(did.exists)
    assert did.read_text().splitlines() == ["started", "worker finishes"]
