"""What Celery's log leaves out: an outage is logged once, by the code that meets it."""

from __future__ import annotations

import logging

import amqp
from celery.exceptions import Reject


class NotPutBack(logging.Filter):
    """Drops the hundred lines about each message that goes back during an outage."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, Reject) and error.requeue)


class NoTracebackOfLostAck(logging.Filter):
    """Leaves one line of an ack for which there is no connection any more."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (OSError, amqp.RecoverableConnectionError)):
            record.exc_info = None
        return True
