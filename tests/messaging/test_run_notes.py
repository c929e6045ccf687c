"""Notes of runs: which of a message's runs were killed, and which may still be running."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from typing import Any

import pytest
from django.conf import settings

from localservices.mongodb import MongoDB
from messaging.errors import WorkerKilled
from messaging.handling import run_notes
from runtime.outage import Outage
from runtime.process_start import start_of

pytestmark = pytest.mark.usefixtures("clean")

ELSEWHERE = "another machine"
LONG_AGO = run_notes.LONGEST_RUN.total_seconds() * 1_000 + 1_000


@pytest.fixture
def life() -> str:
    return uuid.uuid4().hex


def note(life: str, *, place: str, pid: int, ago_ms: float = 0) -> None:
    """A run of another process, that has run_notes."""
    run: dict[str, Any] = {"place": place, "pid": pid, "started": "1"}
    run["at"] = {"$subtract": ["$$NOW", ago_ms]}
    runs = {"$concatArrays": [{"$ifNull": ["$runs", []]}, [run]]}
    run_notes.begun_runs().update_one(
        {"_id": life}, [{"$set": {"at": "$$NOW", "runs": runs}}], upsert=True
    )


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


def noted(life: str) -> int:
    found = run_notes.begun_runs().find_one({"_id": life})
    return len(found["runs"]) if found else 0


def test_a_run_that_ends_leaves_nothing(life: str) -> None:
    run_notes.begin(life)
    assert noted(life) == 1
    run_notes.end(life)
    assert noted(life) == 0


def test_so_many_killed_runs_are_the_last(life: str) -> None:
    for _ in range(settings.DELIVERY_LIMIT - 1):
        note(life, place=run_notes.place(), pid=ended_process())
    run_notes.begin(life)
    note(life, place=run_notes.place(), pid=ended_process())

    with pytest.raises(WorkerKilled, match=f"killed {settings.DELIVERY_LIMIT} times") as killed:
        run_notes.begin(life)

    assert killed.value.kills == settings.DELIVERY_LIMIT


def test_a_process_that_is_killed_while_it_gives_a_message_up_did_not_handle_it(life: str) -> None:
    for _ in range(settings.DELIVERY_LIMIT + 3):
        note(life, place=run_notes.place(), pid=ended_process())

    with pytest.raises(WorkerKilled) as killed:
        run_notes.begin(life)

    assert killed.value.kills == settings.DELIVERY_LIMIT


def test_a_run_that_goes_on_was_not_killed(life: str) -> None:
    """Its connection was lost, so the message came again, and once more …"""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        note(life, place=run_notes.place(), pid=alive.pid)
        run_notes.begun_runs().update_one(
            {"_id": life}, {"$set": {"runs.0.started": start_of(alive.pid)}}
        )
        for _ in range(settings.DELIVERY_LIMIT - 1):
            note(life, place=run_notes.place(), pid=ended_process())

        with pytest.raises(Outage, match="may still be running"):
            run_notes.begin(life)

        alive.communicate(b"\n")
    with pytest.raises(WorkerKilled):
        run_notes.begin(life)


def test_what_runs_elsewhere_is_over_when_its_time_limit_is(life: str) -> None:
    for _ in range(settings.DELIVERY_LIMIT):
        note(life, place=ELSEWHERE, pid=1)
    with pytest.raises(Outage):
        run_notes.begin(life)
    run_notes.end(life)

    for _ in range(settings.DELIVERY_LIMIT):
        note(life, place=ELSEWHERE, pid=1, ago_ms=LONG_AGO)
    with pytest.raises(WorkerKilled):
        run_notes.begin(life)


def test_its_own_process_was_not_killed(life: str) -> None:
    for _ in range(settings.DELIVERY_LIMIT + 1):
        run_notes.begin(life)


def test_a_container_that_starts_again_is_another_process(life: str) -> None:
    """It has the name, the process id and often the namespace of the one that was killed."""
    for _ in range(settings.DELIVERY_LIMIT):
        note(life, place=run_notes.place(), pid=os.getpid())

    with pytest.raises(WorkerKilled):
        run_notes.begin(life)

    assert noted(life) == settings.DELIVERY_LIMIT


def test_an_outage_is_told_and_what_has_ended_is_noted_after_it(
    life: str, mongodb: MongoDB
) -> None:
    run_notes.begin(life)
    mongodb.kill()
    try:
        run_notes.end(life)
        with pytest.raises(Outage):
            run_notes.begin(uuid.uuid4().hex)
    finally:
        mongodb.start()

    run_notes.begin(uuid.uuid4().hex)
    assert noted(life) == 0


def test_notes_that_nobody_came_back_to_are_forgotten(life: str) -> None:
    run_notes.begin(life)
    assert run_notes.forget_old() == 0
    run_notes.begun_runs().update_one(
        {"_id": life},
        [{"$set": {"at": {"$subtract": ["$$NOW", run_notes.KEPT_HOURS * 3_600_001]}}}],
    )

    assert run_notes.forget_old() == 1
    assert noted(life) == 0
