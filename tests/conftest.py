"""Every test runs against a private MongoDB and a private RabbitMQ, on free ports."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import pytest
from amqp import AMQPError
from django.core.management import call_command
from django.db import connection
from kombu import Connection
from playwright.sync_api import Browser, Page, sync_playwright
from pymongo.collection import Collection

from localservices import login
from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ
from tests.polling import eventually
from tests.processes import Processes
from tests.settled_rabbitmq import SettledRabbitMQ

MONGODB = pytest.StashKey[MongoDB]()
RABBITMQ = pytest.StashKey[SettledRabbitMQ]()
FOLDER = pytest.StashKey[Path]()

#: What `migrate` fills, and no test changes.
KEPT_COLLECTIONS = {"django_migrations", "django_content_type", "auth_permission"}

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


def pytest_configure(config: pytest.Config) -> None:
    """Point all settings at the private services, started or not, before Django reads them.

    A test that forgets to ask for a service meets a refused connection, never the data of the
    developer who runs the tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="ordersite-tests-"))
    mongodb = MongoDB(folder / "mongodb")
    rabbitmq = SettledRabbitMQ(folder / "rabbitmq")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="ordersite.settings",
        DJANGO_DEBUG="true",
        DJANGO_SECRET_KEY="only-for-tests-" + "x" * 50,
        MONGODB_URL=mongodb.url,
        MONGODB_DATABASE="ordersite_test",
        AMQP_URL=rabbitmq.url,
        RABBITMQ_MANAGEMENT_URL=rabbitmq.management_url,
        RETRY_DELAYS_SECONDS="0.2,0.4",
        DELIVERY_LIMIT="3",
    )
    config.stash[FOLDER] = folder
    config.stash[MONGODB] = mongodb
    config.stash[RABBITMQ] = rabbitmq
    django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the services, also when the run was interrupted."""
    if FOLDER not in config.stash:
        return
    config.stash[RABBITMQ].kill_at_once()
    config.stash[MONGODB].kill()
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Show the logs of a failed test's processes under its report."""
    report = yield
    if report.failed:
        for fixture in getattr(item, "funcargs", {}).values():
            if isinstance(fixture, Processes):
                report.sections.extend((f"log of {name}", log) for name, log in fixture.logs())
    return report


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config) -> tuple[MongoDB, RabbitMQ]:
    """Both services, running, with the database migrated and the topology declared."""
    from messaging import topology

    mongodb, rabbitmq = pytestconfig.stash[MONGODB], pytestconfig.stash[RABBITMQ]
    rabbitmq.launch()
    mongodb.start()
    call_command("migrate", verbosity=0)
    rabbitmq.wait_until_ready()
    with Connection(rabbitmq.url) as broker:
        topology.declare(broker)
    return mongodb, rabbitmq


@pytest.fixture(scope="session")
def mongodb(services: tuple[MongoDB, RabbitMQ]) -> MongoDB:
    """The suite's MongoDB; a test that kills or freezes it starts or thaws it again."""
    return services[0]


@pytest.fixture(scope="session")
def rabbitmq(services: tuple[MongoDB, RabbitMQ]) -> RabbitMQ:
    """The suite's RabbitMQ; a test that kills or freezes it starts or thaws it again."""
    return services[1]


@pytest.fixture(scope="session")
def production(services: tuple[MongoDB, RabbitMQ]) -> dict[str, str]:
    """The settings of processes that run on the suite's services as a site of others does."""
    mongodb, rabbitmq = services
    return {
        "DJANGO_DEBUG": "false",
        "MONGODB_URL": login.mongodb_url(mongodb),
        "AMQP_URL": login.amqp_url(rabbitmq),
    }


@pytest.fixture
def clean(services: tuple[MongoDB, RabbitMQ]) -> None:
    """Empty every collection and every queue before the test.

    Whole modules ask for it with `pytestmark = pytest.mark.usefixtures("clean")`.
    """
    empty_everything(services)


def empty_everything(services: tuple[MongoDB, RabbitMQ]) -> None:
    """Empty every collection and every queue.

    Processes that outlive a test begin with this: what a worker has taken before `clean` comes, it
    works on after it.
    """
    _, rabbitmq = services
    empty_collections()
    empty_queues(rabbitmq)


@pytest.fixture
def processes(clean: None, tmp_path: Path) -> Iterator[Processes]:
    """Starts real processes of the pipeline for one test."""
    yield from running_processes(tmp_path)


@pytest.fixture(scope="module")
def module_processes(
    services: tuple[MongoDB, RabbitMQ], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    """Starts real processes once for all tests of a module."""
    empty_everything(services)
    yield from running_processes(tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; no other module's tests run beside Playwright's greenlets and loop."""
    program = shutil.which("chromium")
    assert program, (
        "Chromium is not installed. `make test` installs it, or: apt-get install chromium"
    )
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


def empty_collections() -> None:
    """Delete all documents and keep the indexes."""
    database = connection.database
    for name in set(database.list_collection_names()) - KEPT_COLLECTIONS:
        database[name].delete_many({})
        if database[name].estimated_document_count():
            correct_quick_count(database[name])


def correct_quick_count(collection: Collection[Any]) -> None:
    """Make MongoDB count anew what it counted wrongly since it was killed.

    `validate` does that, though not in an empty collection.
    https://www.mongodb.com/docs/manual/reference/method/db.collection.estimatedDocumentCount/
    """
    collection.insert_one({})
    collection.database.command("validate", collection.name)
    collection.delete_many({})


def empty_queues(rabbitmq: RabbitMQ) -> None:
    """Purge every queue of the topology; what a consumer holds unacked stays with it."""
    from messaging import topology

    with Connection(rabbitmq.url) as broker, broker.channel() as channel:
        for queue in topology.queues():
            queue(channel).purge()
