"""Each process tells of itself, and what it says is read."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from bson import DatetimeMS, ObjectId
from django.db import connection
from pymongo import MongoClient
from pymongo.errors import ConfigurationError

from runtime import heartbeat_file, presence
from runtime.presence import _This, processes
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test's process may have waited."""
    monkeypatch.setattr(heartbeat_file, "_said", ("", ""))


def said(**others: Any) -> dict[str, Any]:
    """What a relay of another machine wrote."""
    return {
        "_id": ObjectId(),
        "kind": "relay",
        "queues": [],
        "host": "elsewhere",
        "pid": 7,
        "running_seconds": 3_600.0,
        "stuck_seconds": 0.4,
        "doing": "Publishing events.",
        "did": "published 3 events",
        "did_seconds": 2.0,
        "trouble": "",
        "at": datetime.now(UTC),
    } | others


def store(*documents: dict[str, Any]) -> None:
    connection.database[presence.COLLECTION].insert_many(documents)


def test_a_process_tells_of_itself_until_it_ends() -> None:
    this = _This("worker", lambda: ["billing"])
    thread = Thread(target=this.tell_until_the_end)
    thread.start()
    eventually(lambda: processes("worker"))

    [found] = processes(queue="billing")

    assert found.queues == ("billing",)
    assert not found.is_silent
    assert found.since <= datetime.now(UTC)
    assert presence.living("worker") == 1
    this.end(thread)
    assert not thread.is_alive()
    assert processes("worker") == []


STRANGE: list[dict[str, Any]] = [
    *({"at": value} for value in (None, "now", 5, DatetimeMS(2**62))),
    *({name: None} for name in ("queues", "running_seconds", "stuck_seconds", "did_seconds")),
    {"running_seconds": 1e300},
    {"running_seconds": float("nan")},
    {"queues": "billing"},
    {"pid": "x"},
]


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_a_strange_document_hides_no_process(strange: dict[str, Any]) -> None:
    incomplete = said()
    del incomplete["host"]
    store(said(pid=8), said(**strange), incomplete)

    assert 8 in [each.pid for each in processes()]
    assert presence.living("relay") >= 1
    presence.forget_old()


def test_a_process_is_told_of_also_where_its_server_had_no_name_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A URL of `mongodb+srv` asks the name server as soon as a client is made."""
    tries = iter([ConfigurationError("no name server")])

    def made(*arguments: Any, **options: Any) -> Any:
        for error in tries:
            raise error
        return MongoClient(*arguments, **options)

    monkeypatch.setattr(presence, "MongoClient", made)
    monkeypatch.setattr(presence, "EVERY_SECONDS", 0.05)
    this = _This("relay", tuple)
    thread = Thread(target=this.tell_until_the_end)
    thread.start()
    try:
        eventually(lambda: processes("relay"))
    finally:
        this.end(thread)


def test_what_it_waits_for_is_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_doing", "answers requests")
    this = _This("web", tuple)
    told = []
    for waits_for in ("MongoDB", ""):
        heartbeat_file.beat(waits_for=waits_for)
        this._tell(connection.database[presence.COLLECTION])
        told.append(processes()[0].doing)

    assert told == ["waits for MongoDB", "answers requests"]


def test_what_it_does_and_did_is_told() -> None:
    presence.doing(lambda: "has 2 messages in its hands")
    presence.did("handled", "order.placed", "m1")
    try:
        this = _This("worker", lambda: ["billing"])
        this._tell(connection.database[presence.COLLECTION])
    finally:
        presence.doing("")
        presence.did()

    [found] = processes()
    assert (found.doing, found.did) == ("has 2 messages in its hands", "handled order.placed m1")


def test_one_that_hangs_or_fell_silent_is_told_from_one_that_works() -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    store(said(pid=1), said(pid=2, stuck_seconds=90.0), said(pid=3, at=long_ago))

    well, stuck, silent = processes("relay")

    assert [each.is_stuck for each in (well, stuck, silent)] == [False, True, False]
    assert [each.is_silent for each in (well, stuck, silent)] == [False, False, True]
    assert presence.living("relay") == 2


def test_what_is_gone_for_long_is_forgotten() -> None:
    store(said(), said(at=datetime.now(UTC) - timedelta(hours=2)))

    assert presence.forget_old() == 1
    assert len(processes()) == 1


def test_the_main_loop_says_when_it_got_on() -> None:
    heartbeat_file.beat("a job does not end")
    assert time.monotonic() - heartbeat_file.last_beat_at() < 60
    assert heartbeat_file.trouble() == "a job does not end"
    heartbeat_file.beat()
    assert heartbeat_file.trouble() == ""
