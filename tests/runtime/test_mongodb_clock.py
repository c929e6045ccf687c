"""MongoDB's time where it is asked for once in a while. In memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from runtime import mongodb_clock

THEIRS = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Clocks:
    """MongoDB's, and this process's own monotonic one."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.theirs: datetime | None = THEIRS
        self.asked = 0

    def monotonic(self) -> float:
        return self.seconds

    def hello(self, _: str) -> dict[str, Any]:
        self.asked += 1
        if self.theirs is None:
            raise AutoReconnect("down")
        return {"localTime": self.theirs.replace(tzinfo=None)}


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    database = type("Database", (), {"command": staticmethod(clocks.hello)})
    monkeypatch.setattr(mongodb_clock, "connection", type("Connection", (), {"database": database}))
    monkeypatch.setattr(mongodb_clock, "time", clocks)
    monkeypatch.setattr(mongodb_clock, "_heard", None)
    monkeypatch.setattr(mongodb_clock, "_asked_at", float("-inf"))
    return clocks


def test_it_is_asked_once_a_minute_and_carried_on_between(clocks: Clocks):
    assert mongodb_clock.about_now() == THEIRS
    clocks.seconds += 59
    assert mongodb_clock.about_now() == THEIRS + timedelta(seconds=59)
    clocks.seconds += 1
    clocks.theirs = THEIRS + timedelta(hours=1)
    assert mongodb_clock.about_now() == clocks.theirs
    assert clocks.asked == 2


def test_an_outage_is_waited_for_once_a_minute(clocks: Clocks):
    mongodb_clock.mongodb_now()
    clocks.theirs = None
    for _ in range(3):
        clocks.seconds += 1
        assert mongodb_clock.about_now() == THEIRS + timedelta(seconds=clocks.seconds - 1_000)
    assert clocks.asked == 2


def test_before_there_was_an_answer_this_machines_clock_counts(clocks: Clocks):
    clocks.theirs = None
    assert abs(mongodb_clock.about_now() - datetime.now(UTC)) < timedelta(minutes=1)
