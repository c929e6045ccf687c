"""What a worker's processes do before their first message."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.db import connection

from messaging.background import step_back
from messaging.connecting import connection_to, wait_until_connected
from messaging.publisher import process_publisher

#: For each look.
CONNECT_SECONDS = 5


def leave_logging_to_django(**_: Any) -> None:
    """Keep the settings' LOGGING: a receiver of this signal stops Celery from replacing it."""


def step_behind(**_: Any) -> None:
    step_back()


def wait_for_rabbitmq(**_: Any) -> None:
    """Wait for RabbitMQ, for as long as it takes; what it lacks is declared at every connect."""
    with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
        wait_until_connected(broker)


def prepare_pool_child(**_: Any) -> None:
    """Let go of what the fork inherited: connections cannot be shared between processes."""
    process_publisher().forget()
    connection.close_pool()
    # A process manager signals the whole group; the child's work ends with its parent's
    # warm shutdown instead.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
