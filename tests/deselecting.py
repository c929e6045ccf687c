"""Which tests are left out where a service is the user's own; a plugin of pytest.

The run says how many, and why. Where `MONGODB_URL` and `AMQP_URL` are not set, none is.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.settings import GIVEN

#: Why, by the fixture that they ask for, with the setting that names the user's service.
REASONS = {
    "private_rabbitmq": ("AMQP_URL", "stop or reconfigure RabbitMQ, or expect our configuration"),
    "private_mongodb": ("MONGODB_URL", "stop or reconfigure MongoDB, or expect our configuration"),
}
WORKERS_KEY = "deselected"

_deselected: Counter[str] = Counter()


def reason(fixtures: set[str]) -> str:
    """Why a test with these fixtures cannot run on the user's services; nothing if it can."""
    for fixture, (setting, what) in REASONS.items():
        if fixture in fixtures and setting in GIVEN:
            return f"{what} ({setting} is set)"
    return ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = {item: reason({*getattr(item, "fixturenames", ())}) for item in items}
    left_out = [item for item in items if reasons[item]]
    if left_out:
        items[:] = [item for item in items if not reasons[item]]
        config.hook.pytest_deselected(items=left_out)
        _deselected.update(reasons[item] for item in left_out)
    if hasattr(config, "workeroutput"):
        config.workeroutput[WORKERS_KEY] = dict(_deselected)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each worker of pytest-xdist has collected the same."""
    _deselected.update(
        {
            why: number
            for why, number in getattr(node, "workeroutput", {}).get(WORKERS_KEY, {}).items()
            if why not in _deselected
        }
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _deselected:
        return
    terminalreporter.section(f"{_deselected.total()} tests left out")
    for why, number in sorted(_deselected.items()):
        terminalreporter.write_line(f"{number} {why}")
