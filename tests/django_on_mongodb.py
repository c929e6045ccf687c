"""What pytest-django needs to know of MongoDB; a plugin of pytest.

`db`, `transactional_db`, the mark `django_db` and `live_server` are pytest-django's. On SQL they
roll back or flush after a test; MongoDB's backend rolls nothing back, so here each empties all
collections before the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from pymongo.synchronous.topology import Topology
from pytest_django.plugin import blocking_manager_key

from tests.emptying import empty_collections
from tests.settings import MONGODB

#: Tests with one of these among their fixtures may use the database, and so may their fixtures.
ALLOWS = {"services", "live_server"}


class PyMongoBlock:
    """Refuses what PyMongo sends to the tests' MongoDB, beside pytest-django's own block.

    That one stands before Django's connections alone. The product talks to MongoDB through PyMongo,
    and keeps its collections over tests.
    """

    def __init__(self) -> None:
        self.is_active = True
        self._select_server = Topology.select_server
        block = self

        def select_server(topology: Topology, *arguments: Any, **named: Any) -> Any:
            ports = {port for _, port in topology.description.server_descriptions()}
            if block.is_active and MONGODB.port in ports:
                raise RuntimeError(
                    'MongoDB is not allowed here: ask for "db" (an empty database), "clean" (and '
                    'empty queues) or "services" among the fixtures of the test.'
                )
            return block._select_server(topology, *arguments, **named)

        Topology.select_server = select_server

    @contextmanager
    def allowed(self) -> Iterator[None]:
        self.is_active = False
        try:
            yield
        finally:
            self.is_active = True


PYMONGO = PyMongoBlock()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Allow the database to the tests that asked for it, with all their fixtures."""
    asked = {*getattr(item, "fixturenames", ())}
    if not ALLOWS & asked and item.get_closest_marker("django_db") is None:
        with closed_ones_stay_closed():
            return (yield)
    with item.config.stash[blocking_manager_key].unblock(), PYMONGO.allowed():
        return (yield)


@contextmanager
def closed_ones_stay_closed() -> Iterator[None]:
    """Block a connection that would be opened, and none that an earlier test has left open.

    The site's threads keep theirs, and Django asks each at the beginning of a request whether it is
    still good. What is sent over one is refused by `PyMongoBlock`.
    """
    refuse = BaseDatabaseWrapper.ensure_connection

    def ensure_open(connection: BaseDatabaseWrapper) -> None:
        if connection.connection is None:
            refuse(connection)

    BaseDatabaseWrapper.ensure_connection = ensure_open
    try:
        yield
    finally:
        BaseDatabaseWrapper.ensure_connection = refuse


@pytest.fixture(scope="session")
def django_db_setup(services: None) -> None:
    """The database is the tests' own, and migrated."""


@pytest.fixture
def _django_db_helper(django_db_setup: None) -> None:
    empty_collections()
