"""The tests' own MongoDB and RabbitMQ; a plugin of pytest."""

from __future__ import annotations

import shutil

import pytest
from django.core.management import call_command
from kombu import Connection

from localservices import login
from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ
from tests.emptying import empty_queues
from tests.settings import FOLDER, MONGODB, RABBITMQ


def pytest_unconfigure() -> None:
    """End the services, also when the run was interrupted."""
    RABBITMQ.kill_at_once()
    MONGODB.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def services(django_test_environment: None) -> tuple[MongoDB, RabbitMQ]:
    """Both services, running, with the database migrated and the topology declared."""
    from messaging import topology

    RABBITMQ.launch()
    MONGODB.start()
    call_command("migrate", verbosity=0)
    RABBITMQ.wait_until_ready()
    with Connection(RABBITMQ.url) as broker:
        topology.declare(broker)
    return MONGODB, RABBITMQ


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
def clean(db: None, rabbitmq: RabbitMQ) -> None:
    """Empty every collection and every queue before the test.

    Whole modules ask for it with `pytestmark = pytest.mark.usefixtures("clean")`.
    """
    empty_queues(rabbitmq)
