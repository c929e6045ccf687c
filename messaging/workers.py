"""What a worker's processes do before their first message."""

from __future__ import annotations

import logging
import signal
from typing import Any

from django.conf import settings
from django.db import connection
from kombu import Connection

from messaging.background import step_back
from messaging.publisher import process_publisher

logger = logging.getLogger(__name__)


def leave_logging_to_django(**_: Any) -> None:
    """Keep the settings' LOGGING: a receiver of this signal stops Celery from replacing it."""


def step_behind(**_: Any) -> None:
    step_back()


def wait_for_rabbitmq(**_: Any) -> None:
    """Wait for RabbitMQ, for as long as it takes; what it lacks is declared at every connect."""

    def on_error(error: Exception, interval_seconds: float) -> None:
        logger.warning("Waiting for RabbitMQ, next look in %g s: %s", interval_seconds, error)

    with Connection(settings.AMQP_URL, connect_timeout=2) as broker:
        broker.ensure_connection(errback=on_error, interval_start=0.5, interval_max=2)


def prepare_pool_child(**_: Any) -> None:
    """Let go of what the fork inherited: connections cannot be shared between processes."""
    process_publisher().forget()
    connection.close_pool()
    # A process manager signals the whole group; the child's work ends with its parent's
    # warm shutdown instead.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
