"""Randomness with a seed that can be given again; a plugin of pytest."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import settings

#: The same each time, so that a test fails by what was changed, and not by its luck.
USUAL_SEED = 11

# An example may take longer than Hypothesis's 200 ms on a busy machine.
settings.register_profile("ordersite", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=25)
settings.load_profile("ordersite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, default=USUAL_SEED, help="of the tests that choose at random"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis chooses by the same seed."""
    if config.getoption("hypothesis_seed") is None:
        config.option.hypothesis_seed = config.getoption("seed")


@pytest.fixture
def chance(pytestconfig: pytest.Config) -> random.Random:
    """What a test that chooses at random chooses with."""
    return random.Random(pytestconfig.getoption("seed"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Say with a failed test how to see it again."""
    report = yield
    if report.failed and "chance" in getattr(item, "fixturenames", ()):
        report.sections.append(("chosen at random", f"--seed={item.config.getoption('seed')}"))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    seed = config.getoption("seed")
    terminalreporter.write_line(f"What was chosen at random is chosen again with --seed={seed}.")
