"""The scheduler runs its jobs by the monotonic clock, and says in MongoDB that it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from localservices.pipeline import process_environment, procfile
from localservices.process import Process
from localservices.wall_clock import WallClock
from ordersite.pipeline import scheduler, scheduler_heartbeat
from ordersite.pipeline.scheduler import Job, Scheduler
from runtime.stopping import StopRequest
from tests.polling import eventually
from tests.processes import ROOT

pytestmark = pytest.mark.usefixtures("clean", "readiness_anew")

HOUR_SECONDS = 3_600


def readiness() -> dict[str, Any]:
    """What `/health/ready` says of the scheduler."""
    checks = Client(SERVER_NAME="localhost").get("/health/ready").json()["checks"]
    return next(check for check in checks if check["name"] == "scheduler")


def date_heartbeat(age_seconds: float) -> None:
    at = datetime.now(UTC) - timedelta(seconds=age_seconds)
    scheduler_heartbeat.heartbeats().update_one(
        {"_id": scheduler_heartbeat.NAME}, {"$set": {"at": at}}, upsert=True
    )


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.fixture
def real_scheduler(tmp_path: Path, clock: WallClock) -> Iterator[Process]:
    """A scheduler with this wall clock."""
    command = ["sh", "-c", f"exec {procfile()['scheduler']}"]
    environment = {**process_environment(), **clock.environment}
    process = Process("scheduler", command, tmp_path / "scheduler.log", environment, ROOT)
    process.start()
    yield process
    process.stop()


def ship_one(order_id: str) -> None:
    """A shipment that a scheduler publishes within 2 s or so."""
    connection.database["reservations"].insert_one(
        {
            "_id": order_id,
            "order_version": 1,
            "user_id": 1,
            "state": "shipped",
            "items": [],
            "shipped_at": datetime.now(UTC),
            "pending_since": datetime.now(UTC),
        }
    )


def is_published(order_id: str) -> bool:
    waiting = {"_id": order_id, "pending_since": {"$ne": None}}
    return connection.database["reservations"].find_one(waiting) is None


@pytest.mark.parametrize("seconds", [-HOUR_SECONDS, HOUR_SECONDS, -24 * HOUR_SECONDS])
def test_a_wall_clock_that_is_set_stops_no_job(
    real_scheduler: Process, clock: WallClock, seconds: int
) -> None:
    ship_one("before")
    eventually(lambda: is_published("before"))

    clock.set_off(seconds)

    ship_one("after")
    eventually(lambda: is_published("after"))
    eventually(lambda: readiness()["status"] == "ok")
    assert real_scheduler.running


def test_an_orderly_stop_takes_the_heartbeat_away_and_finishes_what_runs() -> None:
    begun, go_on, ended = Event(), Event(), Event()

    def job() -> None:
        begun.set()
        go_on.wait(10)
        ended.set()

    stop = StopRequest()
    running = Thread(target=Scheduler([Job(job, 60, "waits")]).run, args=(stop,))
    running.start()
    assert begun.wait(10)
    eventually(lambda: readiness()["status"] == "ok")

    stop.request()
    go_on.set()
    running.join(10)

    assert ended.is_set()
    assert not running.is_alive()
    assert readiness()["status"] == "missing"


def test_a_job_that_fails_runs_again() -> None:
    runs = []

    def job() -> None:
        runs.append(None)
        raise ValueError("this run fails")

    stop = StopRequest()
    running = Thread(target=Scheduler([Job(job, 0.01, "fails")]).run, args=(stop,))
    running.start()
    eventually(lambda: len(runs) > 3)
    stop.request()
    running.join(10)
    assert not running.is_alive()


def test_a_job_that_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()
    monkeypatch.setattr(scheduler, "LATE_SECONDS", 0.1)
    monkeypatch.setattr(scheduler_heartbeat, "EVERY_SECONDS", 0.1)

    def hanging() -> None:
        go_on.wait(20)

    stop = StopRequest()
    jobs = [Job(hanging, 0.1, "hangs"), Job(lambda: None, 0.01, "works")]
    running = Thread(target=Scheduler(jobs).run, args=(stop,))
    running.start()
    eventually(lambda: "hanging" in readiness()["detail"])
    seen = readiness()
    go_on.set()
    stop.request()
    running.join(10)

    assert seen["status"] == "missing"
    assert "lambda" not in seen["detail"]
    assert "restart it: python manage.py scheduler" in seen["nextStep"]


def test_no_scheduler_is_named_with_its_command() -> None:
    seen = readiness()
    assert (seen["status"], seen["nextStep"]) == ("missing", "python manage.py scheduler")
    assert "No scheduler runs" in seen["detail"]


def test_an_old_heartbeat_is_a_scheduler_that_is_late() -> None:
    scheduler_heartbeat.beat()
    assert readiness()["status"] == "ok"

    date_heartbeat(age_seconds=HOUR_SECONDS)

    seen = readiness()
    assert (seen["status"], seen["nextStep"]) == ("missing", "python manage.py scheduler")
    assert "3600 s old" in seen["detail"]


def test_a_heartbeat_says_for_how_long_the_scheduler_has_run() -> None:
    stop = StopRequest()
    running = Thread(target=Scheduler([]).run, args=(stop,))
    running.start()
    try:
        eventually(
            lambda: (last := scheduler_heartbeat.last()) is not None and last.running_seconds > 0
        )
    finally:
        stop.request()
        running.join()


def test_a_heartbeat_in_the_future_is_none() -> None:
    scheduler_heartbeat.beat()
    date_heartbeat(age_seconds=-HOUR_SECONDS)

    assert "in the future" in readiness()["detail"]
    assert readiness()["status"] == "missing"
    scheduler_heartbeat.beat()
    assert readiness()["status"] == "ok"
