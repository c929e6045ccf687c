"""In what order the files of tests run; a plugin of pytest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

#: They run first, so that no worker is left alone with one at the end. CONTRIBUTING.md names them.
SLOWEST = (
    "drills/test_drills.py",
    "ordersite/test_topology_change.py",
    "browser/test_operators_desk.py",
    "journeys/test_refusals.py",
    "localservices/test_run.py",
    "journeys/test_startup.py",
    "localservices/test_taken_ports.py",
    "openapi/test_limits.py",
    "failed_messages/test_jobs.py",
    "journeys/test_adding_a_service.py",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep each file in one piece.

    pytest-django would put the users of `db` first, of whatever file, for the sake of rollbacks,
    and a module's fixtures would start twice.
    """
    first = {TESTS / file: place for place, file in enumerate(SLOWEST)}
    places = {item.path: place for place, item in reversed([*enumerate(items)])}
    result = yield
    items.sort(key=lambda item: (first.get(item.path, len(first)), places[item.path]))
    return result
