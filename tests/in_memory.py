"""Which tests start no program, so that they run anywhere and in milliseconds; a plugin of pytest.

Their fixtures tell: `pytest -m in_memory` runs those that ask for no service, no browser, no
`programs` and no `slow_clients`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.settings import MONGODB, RABBITMQ

#: Tests with one of these among their fixtures start programs: services, a browser, another Python;
#: or have a server in this process wait for its clients.
PROGRAMS = {"programs", "services", "chromium", "live_server", "slow_clients"}


class Guard:
    """Refuses programs and connections to services to a test that asked for none.

    It hears of them from Python's audit events. https://docs.python.org/3/library/audit_events.html
    """

    is_active = False

    def __call__(self, event: str, arguments: Any) -> None:
        if not self.is_active:
            return
        if event == "subprocess.Popen":
            raise RuntimeError(f'{arguments[0]}: ask for "programs" among the fixtures.')
        if event == "socket.connect" and arguments[1][1:] in ((MONGODB.port,), (RABBITMQ.port,)):
            raise RuntimeError('MongoDB or RabbitMQ: ask for "services" among the fixtures.')


GUARD = Guard()
sys.addaudithook(GUARD)


def pytest_itemcollected(item: pytest.Item) -> None:
    asked = {*getattr(item, "fixturenames", ())}
    if not PROGRAMS & asked and item.get_closest_marker("django_db") is None:
        item.add_marker(pytest.mark.in_memory)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    GUARD.is_active = item.get_closest_marker("in_memory") is not None
    try:
        return (yield)
    finally:
        GUARD.is_active = False


@pytest.fixture(scope="session")
def programs() -> None:
    """For tests that start programs of their own."""


@pytest.fixture(scope="session")
def slow_clients() -> None:
    """For tests of what a server does with clients that send much, slowly or never: in seconds."""
