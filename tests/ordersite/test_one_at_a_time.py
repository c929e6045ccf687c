"""What a deployment runs on two hosts at once: each ends well, and what it does is done once."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from localservices.process import Process
from runtime.lease import LEASE_SECONDS
from tests.concurrency import at_once
from tests.polling import eventually
from tests.processes import Processes

HOSTS = 3


@pytest.fixture
def database(services: object) -> Iterator[str]:
    """The name of an empty database."""
    name = f"{settings.MONGODB_DATABASE}_{uuid.uuid4().hex[:8]}"
    yield name
    connection.database.client.drop_database(name)


def test_a_deployment_on_several_hosts(database: str, processes: Processes) -> None:
    """Each migrates, loads the demo products and faults, and makes the admin."""
    command = f"{sys.executable} -m localservices.preparing"
    hosts = [
        processes.run(f"host-{number}", command, MONGODB_DATABASE=database)
        for number in range(HOSTS)
    ]
    for host in hosts:
        assert wait(host) == 0, host.log_tail(lines=200)
        assert "Traceback" not in host.log_tail(lines=200)

    made = connection.database.client[database]
    assert made["auth_user"].count_documents({"username": "admin"}) == 1
    assert made["products"].count_documents({"sku": "book"}) == 1
    assert made["stock_movements"].count_documents({"sku": "book"}) == 1
    assert made["simulated_faults"].count_documents({}) == 1
    applied = [(each["app"], each["name"]) for each in made["django_migrations"].find()]
    assert len(applied) == len(set(applied)) > 10
    waiting = [host for host in hosts if "waiting until it has ended" in host.log_tail(lines=200)]
    assert waiting


#: Before a migration is run, it is ended after each kind of its operations and begun again.
ENDED_AGAIN_AND_AGAIN = """
from django.db.migrations.migration import Migration
from localservices import preparing

apply = Migration.apply

def apply_again_and_again(migration, state, *arguments):
    operations = migration.operations
    kinds = [*map(type, operations), None]
    for number in range(1, len(kinds)):
        if kinds[number] is not kinds[number - 1]:
            migration.operations = operations[:number]
            apply(migration, state.clone(), *arguments)
    return apply(migration, state, *arguments)

Migration.apply = apply_again_and_again
preparing.main()
"""


def test_a_migration_that_was_ended_goes_on(
    database: str, processes: Processes, tmp_path: Path
) -> None:
    """MongoDB keeps the first half of it: a second run must live with what is there."""
    script = tmp_path / "ended.py"
    script.write_text(ENDED_AGAIN_AND_AGAIN)
    host = processes.run(
        "host", f"{sys.executable} {script}", MONGODB_DATABASE=database, PYTHONPATH="."
    )

    assert wait(host) == 0, host.log_tail(lines=200)
    made, meant = connection.database.client[database], connection.database
    migrated = set(made.list_collection_names()) & set(meant.list_collection_names())
    assert {"orders", "products", "auth_user", "failed_messages"} <= migrated
    for name in migrated:
        assert made[name].index_information().keys() == meant[name].index_information().keys()


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize("command", ["declare_topology", "declare_indexes"])
def test_what_is_declared_twice_at_once(command: str) -> None:
    said = [StringIO() for _ in range(HOSTS)]
    at_once([partial(call_command, command, stdout=each) for each in said])
    assert all(each.getvalue() for each in said)


def test_one_that_was_killed_holds_up_the_next_for_its_lease_alone(
    database: str, processes: Processes
) -> None:
    killed = processes.run("first", "python manage.py migrate", MONGODB_DATABASE=database)
    leases = connection.database.client[database]["relay_lease"]
    eventually(lambda: leases.find_one({"_id": "preparing"}))
    killed.kill()

    began = time.monotonic()
    second = processes.run("second", "python manage.py migrate", MONGODB_DATABASE=database)
    assert wait(second) == 0, second.log_tail()

    assert "waiting until it has ended" in second.log_tail(lines=200)
    assert time.monotonic() - began < LEASE_SECONDS + 60
    assert leases.find_one({"_id": "preparing"}) is None


def wait(process: Process) -> int | None:
    eventually(lambda: not process.running)
    return process.exit_code


def test_without_mongodb_it_says_what_to_do(processes: Processes) -> None:
    nowhere = "mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=500"
    migrate = processes.run("migrate", "python manage.py migrate", MONGODB_URL=nowhere)

    assert wait(migrate) == 1
    said = migrate.log_tail()
    assert "MONGODB_URL" in said
    assert "Traceback" not in said
    assert settings.MONGODB_URL not in said
