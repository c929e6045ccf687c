"""Gives a message up: to the service's dead-letter queue, with its certificate."""

from __future__ import annotations

import logging
import socket
import uuid
from datetime import UTC, datetime
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from messaging.certificate import (
    Attempt,
    Certificate,
    Reason,
    class_name,
    decode_original,
    encode_certificate,
    text_of,
    traceback_of,
)
from messaging.errors import InvalidMessage, PermanentError, Stopped, Unroutable, WorkerKilled
from messaging.handling.log_ids import ids_of
from messaging.incoming import Delivery
from messaging.publishing.publisher import Outgoing, process_publisher
from messaging.topology import dead_letters
from runtime import log_context

logger = logging.getLogger(__name__)


def dead_letter(
    delivery: Delivery,
    body: bytes,
    error: BaseException,
    *,
    attempts: tuple[Attempt, ...] = (),
    handler: str | None = None,
) -> None:
    """Publish the message to `<service>.dlq` with a death certificate, and wait for the confirm.

    Args:
        body: the bytes as they arrived.
        error: what ended it.
        attempts: every run that failed, the last included; empty where no handler ever ran.
        handler: the handler's dotted name; None where none was found.

    Raises:
        PublishError: the broker has not confirmed it; the message must not be acked.
    """
    certificate = Certificate(
        id=str(uuid.uuid4()),
        service=delivery.service,
        reason=reason_of(error),
        at=datetime.now(UTC).isoformat(),
        release=settings.RELEASE,
        worker=worker_name(delivery.service),
        message=text_of(error),
        original=decode_original(delivery.original_json),
        handler=handler,
        exception=class_name(error),
        traceback=traceback_of(error) if attempts else None,
        attempts=attempts,
        kills=error.kills if isinstance(error, WorkerKilled) else 0,
    )
    dead = delivery.message(body, certificate=encode_certificate(certificate))
    process_publisher().publish([Outgoing(dead, dead_letters.name, delivery.service)])
    # The consumer refuses a message before any middleware has named it.
    with log_context.about(partial(ids_of, delivery, body)):
        logger.error(
            "%s gave up %s after %d attempt(s): %s: %s. It is now a failed message.",
            delivery.service,
            delivery.message_id,
            len(attempts),
            certificate.reason,
            certificate.message,
        )


def reason_of(error: BaseException) -> str:
    """The `Reason` of an error."""
    if isinstance(error, InvalidMessage):
        return error.reason
    if isinstance(error, WorkerKilled):
        return Reason.DELIVERY_LIMIT
    if isinstance(error, Stopped):
        return Reason.STOPPED
    if isinstance(error, PermanentError):
        return Reason.PERMANENT_ERROR
    if isinstance(error, SoftTimeLimitExceeded):
        return Reason.TIME_LIMIT
    if isinstance(error, Unroutable):
        return Reason.UNROUTABLE
    return Reason.ATTEMPTS_USED_UP


def worker_name(service: str) -> str:
    """`billing@host`, as Celery's `-n billing@%h` names it."""
    return f"{service}@{socket.gethostname()}"
