"""The tests' own MongoDB and RabbitMQ, or their own names on the user's; a plugin of pytest."""

from __future__ import annotations

import os
import shutil

import pytest
from django.core.management import call_command
from kombu import Connection

from localservices import login
from localservices.mongodb import MongoDB
from tests.django_on_mongodb import PYMONGO
from tests.emptying import empty_queues
from tests.given_services import GivenMongoDB, GivenRabbitMQ, NotUsable
from tests.settings import FOLDER, MONGODB, RABBITMQ
from tests.settled_rabbitmq import SettledRabbitMQ


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say at once, and once, that the tests cannot use a service of the user's."""
    if hasattr(session.config, "workerinput") or session.config.option.markexpr == "in_memory":
        return
    try:
        with PYMONGO.allowed():
            if isinstance(MONGODB, GivenMongoDB):
                MONGODB.start()
        if isinstance(RABBITMQ, GivenRabbitMQ):
            RABBITMQ.launch()
    except NotUsable as error:
        raise pytest.UsageError(str(error)) from error


def pytest_unconfigure() -> None:
    """End the services, also when the run was interrupted."""
    RABBITMQ.kill_at_once()
    with PYMONGO.allowed():
        MONGODB.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def services(django_test_environment: None) -> None:
    """Both services, running, with the database migrated and the topology declared."""
    from messaging import topology

    RABBITMQ.launch()
    MONGODB.start()
    call_command("migrate", verbosity=0)
    RABBITMQ.wait_until_ready()
    with Connection(os.environ["AMQP_URL"]) as broker:
        topology.declare(broker)


@pytest.fixture(scope="session")
def mongodb(services: None, private_mongodb: MongoDB) -> MongoDB:
    """The suite's MongoDB; a test that kills or freezes it starts or thaws it again."""
    return private_mongodb


@pytest.fixture(scope="session")
def rabbitmq(services: None, private_rabbitmq: SettledRabbitMQ) -> SettledRabbitMQ:
    """The suite's RabbitMQ; a test that kills or freezes it starts or thaws it again."""
    return private_rabbitmq


@pytest.fixture(scope="session")
def private_mongodb() -> MongoDB:
    """Not the user's: `tests/deselecting.py` leaves out who asks for it where that is used."""
    assert isinstance(MONGODB, MongoDB)
    return MONGODB


@pytest.fixture(scope="session")
def private_rabbitmq() -> SettledRabbitMQ:
    """Not the user's, as `private_mongodb`."""
    assert isinstance(RABBITMQ, SettledRabbitMQ)
    return RABBITMQ


@pytest.fixture(scope="session")
def production(mongodb: MongoDB, rabbitmq: SettledRabbitMQ) -> dict[str, str]:
    """The settings of processes that run on the suite's services as a site of others does."""
    return {
        "DJANGO_DEBUG": "false",
        "MONGODB_URL": login.mongodb_url(mongodb),
        "AMQP_URL": login.amqp_url(rabbitmq),
    }


@pytest.fixture
def clean(db: None) -> None:
    """Empty every collection and every queue before the test.

    Whole modules ask for it with `pytestmark = pytest.mark.usefixtures("clean")`.
    """
    empty_queues()
