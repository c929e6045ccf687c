"""Tests run against a MongoDB and a RabbitMQ of their own, or in names of their own elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from amqp import AMQPError
from kombu import Connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.emptying import empty_everything
from tests.polling import eventually
from tests.processes import Processes

pytest_plugins = [
    "tests.garbage",
    "tests.in_memory",
    "tests.django_on_mongodb",
    "tests.private_services",
    "tests.deselecting",
    "tests.traced",
    "tests.chance",
    "tests.durations",
    "tests.file_order",
]

# jsonschema would have it make a parser of IRIs, for 2 s in each process; no schema here has any.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

#: Playwright's own five seconds are too short beside a whole pipeline on two cores.
EXPECT_MILLISECONDS = 60_000

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Show the logs of a failed test's processes under its report."""
    report = yield
    if report.failed:
        for fixture in getattr(item, "funcargs", {}).values():
            if isinstance(fixture, Processes):
                report.sections.extend((f"log of {name}", log) for name, log in fixture.logs())
    return report


@pytest.fixture
def readiness_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request for readiness asks MongoDB and RabbitMQ: none hears what was a second ago."""
    monkeypatch.setattr("ordersite.pipeline.kept_readiness.FRESH_SECONDS", 0.0)


@pytest.fixture
def processes(clean: None, tmp_path: Path) -> Iterator[Processes]:
    """Starts real processes of the pipeline for one test."""
    yield from running_processes(tmp_path)


@pytest.fixture(scope="module")
def module_processes(
    services: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    """Starts real processes once for all tests of a module."""
    empty_everything()
    yield from running_processes(tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; no other module's tests run beside Playwright's greenlets and loop."""
    program = shutil.which("chromium")
    assert program, (
        "Chromium is not installed. `make test` installs it, or: apt-get install chromium"
    )
    expect.set_options(timeout=EXPECT_MILLISECONDS)
    with sync_playwright() as playwright:
        # Playwright's event loop lives in this thread, which Django takes for asynchronous code.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of its own browser session, without anyone's login.

    Nothing on it may break the Content-Security-Policy.
    """
    context = chromium.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert [text for text in said if "Content Security Policy" in text] == []


def running_processes(log_folder: Path) -> Iterator[Processes]:
    """Yield the starter of processes, and end all that it started."""
    processes = Processes(log_folder)
    try:
        yield processes
    finally:
        processes.stop()
        # With a pipeline of the package or module beside them there are others.
        with suppress(AssertionError, OSError, AMQPError):
            eventually(nobody_consumes, within_seconds=3)


def nobody_consumes() -> bool:
    """Whether RabbitMQ knows that the consumers are gone, and has returned what they held."""
    from messaging import topology

    with Connection(os.environ["AMQP_URL"]) as broker, broker.channel() as channel:
        return not any(
            channel.queue_declare(queue.name, passive=True).consumer_count
            for queue in topology.queues()
        )
