"""Waits for what a process needs, with one line in its log: processes start in any order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pymongo
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from runtime import heartbeat_file
from runtime.connecting import BROKER_ERRORS, addresses_of, connect, connection_to
from runtime.database_url import split
from runtime.stopping import StopRequest
from runtime.trouble import Reported, refusal

logger = logging.getLogger(__name__)

#: Between two polls, and for one of them.
POLL_SECONDS = 1

#: Why what we wait for is not there yet; empty once it is. A `Refusal` is logged whenever it comes.
Check = Callable[[], str]


def wait_for_database(stop: StopRequest) -> None:
    """Return when MongoDB has a primary and every migration is applied, or when asked to stop."""
    wait_for_mongodb(stop)
    wait_for("the database's migrations (python manage.py migrate)", migrations, stop)


def wait_for_mongodb(stop: StopRequest) -> None:
    """Return when MongoDB has a primary, or when asked to stop."""
    address = split(settings.MONGODB_URL).netloc.rpartition("@")[2]
    wait_for(f"MongoDB at {address}", mongodb, stop)


def wait_for_rabbitmq(stop: StopRequest) -> None:
    """Return when RabbitMQ answers, or when asked to stop."""
    with connection_to(settings.AMQP_URL, within_seconds=POLL_SECONDS) as broker:
        wait_until_connected(broker, stop)


def wait_until_connected(broker: Connection, stop: StopRequest) -> None:
    """Return once the connection is made, or when asked to stop."""
    wait_for(f"RabbitMQ at {addresses_of(broker)}", partial(_rabbitmq, broker), stop)


def wait_for(what: str, check: Check, stop: StopRequest) -> None:
    """Poll until it is there; say once why we wait, and once that we go on."""
    reported = Reported()
    while not stop.requested and (why := check()):
        heartbeat_file.beat(waits_for=what)
        if reported.is_new(why):
            logger.warning("Waiting for %s: %s", what, why)
        stop.wait(POLL_SECONDS)
    if reported.end() and not stop.requested:
        logger.info("Here now: %s", what)


def mongodb() -> str:
    # A client of its own: PyMongo keeps what a server could do when a connection to it was made,
    # and a member that has yet to join its replica set can't do transactions.
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(settings.MONGODB_URL)
        with pymongo.timeout(POLL_SECONDS), client:
            hello = client.admin.command("hello")
    except PyMongoError as error:
        return refusal(error) or f"it does not answer ({type(error).__name__})."
    return "" if hello["isWritablePrimary"] else "it has no primary."


def migrations() -> str:
    try:
        names = unapplied()
    except (PyMongoError, DatabaseError) as error:
        return refusal(error) or f"MongoDB does not answer ({type(error).__name__})."
    return f"not applied: {', '.join(names[:3])}{' …' if names[3:] else ''}." if names else ""


def unapplied() -> list[str]:
    """The migrations that are not applied, in the order in which they would be.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _rabbitmq(broker: Connection) -> str:
    try:
        connect(broker)
    except BROKER_ERRORS as error:
        return refusal(error) or f"it does not answer ({error})."
    return ""
