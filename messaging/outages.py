"""Telling an outage from a failure: a database or broker that is down is not a message's fault."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from pymongo.errors import (
    ConnectionFailure,
    OperationFailure,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from messaging.errors import PublishError, Unroutable
from runtime.outage import Outage
from runtime.trouble import Reported, in_words, is_refused_by_mongodb

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

#: How long a handler waits for MongoDB or RabbitMQ to come back before its message is put back.
#: Below `TASK_SOFT_TIME_LIMIT_SECONDS`, so that waiting is never taken for a slow handler.
PATIENCE_SECONDS = 12.0
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 2.0

#: ConnectionFailure covers no primary, a lost socket and a server that cannot be selected.
OUTAGE_ERRORS = (Outage, ConnectionFailure, WaitQueueTimeoutError, WTimeoutError)

#: A bad value, another type than the operator's, no such path, a validator's refusal, and what is
#: too large before or after a change. Others, as of a full disk, are about the server.
#: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
REFUSES_THE_DOCUMENT = (2, 14, 28, 121, 10334, 17419)

#: Of this process: each trouble is logged once.
_reported = Reported()


def is_outage(error: BaseException | None) -> bool:
    """Whether the error, or one that it was raised from, says that a dependency is down.

    One that refuses the login, or what the process may do, is as good as down.
    """
    while error is not None:
        if isinstance(error, OUTAGE_ERRORS) or is_refused_by_mongodb(error):
            return True
        if isinstance(error, PublishError) and not isinstance(error, Unroutable):
            return True
        error = error.__cause__
    return False


def is_about_the_document(error: Exception) -> bool:
    """Whether the server refuses this very document, e.g. as too large, or as another program has
    made a text of its history; it would refuse it again.
    """
    return isinstance(error, OperationFailure) and error.code in REFUSES_THE_DOCUMENT


@contextmanager
def telling_outages() -> Iterator[None]:
    """Raise `Outage` for any error that says that the database or the broker is down."""
    try:
        yield
    except Exception as error:
        if is_outage(error):
            raise Outage(str(error)) from error
        raise


def report(outage: Outage) -> None:
    """Note the outage in the log, unless it has it."""
    if _reported.is_new(why := in_words(outage)):
        logger.warning("Paused, no attempt is used up: %s", why)


def ride_out(work: Callable[[], Result]) -> Result:
    """Run `work`, and again for as long as a dependency is down.

    `work` must be safe to repeat: running it is the probe.

    Raises:
        Outage: it has not come back within `PATIENCE_SECONDS`, or the time limit of the task
            was over meanwhile.
        Exception: whatever else `work` raises.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    wait_seconds = FIRST_WAIT_SECONDS
    outage: Outage | None = None
    while True:
        try:
            result = work()
        except Outage as error:
            outage = error
            report(outage)
            if time.monotonic() + wait_seconds > deadline:
                raise
        except SoftTimeLimitExceeded as error:
            # The last of several tries begins before the deadline, and may take long itself.
            if outage is None:
                raise
            raise outage from error
        else:
            if _reported.end():
                logger.info("Continuing: MongoDB and RabbitMQ answer again.")
            return result
        time.sleep(wait_seconds)
        wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
