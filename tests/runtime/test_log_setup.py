"""Warnings, and errors that nothing handles, are told as log lines, too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest

from runtime import log_setup

ROOT = Path(__file__).parents[2]
#: In a process, in the one that it forks, and in a thread of each.
PROGRAM = """
import os, sys, threading, warnings
{set_up}

def end_thread():
    raise LookupError("thread\\nof " + here)

def leave_thread():
    sys.exit("nothing to tell")

here = "parent" if (pid := os.fork()) else "child"
if pid:
    os.waitpid(pid, 0)
warnings.warn("old\\nin " + here, UserWarning)
for target in (end_thread, leave_thread):
    thread = threading.Thread(target=target, name="some-thread")
    thread.start()
    thread.join()
raise ValueError("main\\nof " + here)
"""
OF_DJANGO = "import django; django.setup()"
OF_A_WORKER = "from celery_app import app; app.log.setup('INFO'); app.loader.init_worker()"


def lines_of(set_up: str, log_format: str) -> list[str]:
    """What it prints, the child first."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(set_up=set_up)],
        cwd=ROOT,
        env={**os.environ, "LOG_FORMAT": log_format},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr.splitlines()


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("set_up", [OF_DJANGO, OF_A_WORKER], ids=["django", "worker"])
def test_what_nothing_handles_is_json_where_logs_are(set_up: str) -> None:
    read = [json.loads(each) for each in lines_of(set_up, "json")]

    assert len(read) == 6
    for of, (warning, thread, main) in {"child": read[:3], "parent": read[3:]}.items():
        assert (warning["log.logger"], warning["log.level"]) == ("py.warnings", "warning")
        assert f"UserWarning: old\nin {of}" in warning["message"]
        assert (thread["error.type"], thread["error.message"]) == (
            "LookupError",
            f"thread\nof {of}",
        )
        assert thread["log.level"] == main["log.level"] == "critical"
        assert "some-thread" in thread["message"]
        assert (main["error.type"], main["error.message"]) == ("ValueError", f"main\nof {of}")
        assert "raise ValueError" not in main["message"]
        assert "line" in main["error.stack_trace"]
    assert read[0]["process.pid"] != read[3]["process.pid"]


@pytest.mark.usefixtures("programs")
def test_it_is_one_line_each_where_people_read_them() -> None:
    lines = lines_of(OF_DJANGO, "line")

    assert len(lines) == 6
    assert all(re.match(r"[-\d :.]+ UTC (WARNING|CRITICAL) ", each) for each in lines)
    assert r"ValueError: main\nof parent" in lines[-1]


def test_at_a_terminal_python_tells_an_error_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    error = ValueError("no\nmoney")

    log_setup.log_error(ValueError, error, None)
    log_setup.log_error_of_thread(threading.ExceptHookArgs((ValueError, error, None, None)))

    assert terminal.getvalue().count("ValueError: no\nmoney\n") == 2
    assert caplog.messages == []
