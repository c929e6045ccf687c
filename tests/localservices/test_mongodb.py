"""A private MongoDB survives what happens to a developer's machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from localservices.errors import ServiceFailed
from localservices.mongodb import MongoDB
from localservices.ports import free_port


@pytest.fixture
def mongodb(programs: None, tmp_path: Path) -> Iterator[MongoDB]:
    with MongoDB(tmp_path / "mongodb") as mongodb:
        yield mongodb
        mongodb.kill()


def test_it_is_a_primary_that_takes_transactions(mongodb: MongoDB) -> None:
    with connect(mongodb) as client, client.start_session() as session:
        with session.start_transaction():
            client.shop.things.insert_one({"_id": 1}, session=session)
        assert client.shop.things.count_documents({}) == 1


def test_a_transaction_that_its_client_left_ends_within_seconds(mongodb: MongoDB) -> None:
    with connect(mongodb) as client:
        limit = client.admin.command("getParameter", transactionLifetimeLimitSeconds=1)
    assert limit["transactionLifetimeLimitSeconds"] == 3


def test_what_was_deleted_is_kept_for_seconds(mongodb: MongoDB) -> None:
    with connect(mongodb) as client:
        window = client.admin.command("getParameter", minSnapshotHistoryWindowInSeconds=1)
    assert window["minSnapshotHistoryWindowInSeconds"] == 10


def test_data_survive_a_kill(mongodb: MongoDB) -> None:
    keep(mongodb, "book")
    mongodb.kill()
    mongodb.start()
    assert kept(mongodb) == ["book"]


def test_data_survive_a_move_to_another_port(mongodb: MongoDB) -> None:
    keep(mongodb, "book")
    mongodb.stop()
    with MongoDB(mongodb.data_folder, port=free_port()) as moved:
        assert moved.port != mongodb.port
        assert kept(moved) == ["book"]
        keep(moved, "pen")


@pytest.mark.usefixtures("programs")
def test_nobody_gets_in_without_a_login_also_after_a_move(tmp_path: Path) -> None:
    with MongoDB(tmp_path / "mongodb", logins=True) as first:
        keep(first, "book")
        anonymous = MongoClient(f"mongodb://127.0.0.1:{first.port}/?directConnection=true")
        with anonymous, pytest.raises(OperationFailure, match="requires authentication"):
            anonymous.shop.things.find_one()
    with MongoDB(tmp_path / "mongodb", port=free_port(), logins=True) as moved:
        assert kept(moved) == ["book"]
        moved.kill()


def test_it_goes_on_after_a_freeze(mongodb: MongoDB) -> None:
    mongodb.freeze()
    mongodb.thaw()
    keep(mongodb, "book")
    assert kept(mongodb) == ["book"]


@pytest.mark.usefixtures("programs")
def test_a_taken_port_is_told_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ServiceFailed, match=f"MongoDB cannot listen on port {taken}"):
            MongoDB(tmp_path, port=taken).start()


@pytest.mark.usefixtures("programs")
def test_a_port_that_another_took_a_moment_earlier_is_not_a_false_success(tmp_path: Path) -> None:
    first = MongoDB(tmp_path / "first")
    second = MongoDB(tmp_path / "second", port=first.port)
    first.launch()
    second.launch()
    try:
        with pytest.raises(ServiceFailed, match=f"cannot listen on port {first.port}"):
            wait_for_all(first, second)
    finally:
        first.kill()
        second.kill()


@pytest.mark.usefixtures("programs")
@pytest.mark.usefixtures("programs")
def test_a_folder_that_holds_no_database_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "storage.bson").write_text("not a database")
    with pytest.raises(ServiceFailed, match="Unable to read the storage engine metadata"):
        MongoDB(tmp_path).start()


def wait_for_all(*services: MongoDB) -> None:
    for service in services:
        service.wait_until_ready()


def keep(mongodb: MongoDB, name: str) -> None:
    with connect(mongodb) as client:
        client.shop.things.insert_one({"name": name})


def kept(mongodb: MongoDB) -> list[str]:
    with connect(mongodb) as client:
        return [thing["name"] for thing in client.shop.things.find()]


def connect(mongodb: MongoDB) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongodb.url, w="majority")
