"""How a message's run ends, so that it may be acked: done, put back, or given up."""

from __future__ import annotations

import logging
from typing import NoReturn

from celery.exceptions import Ignore, Reject, Retry
from django.conf import settings

from messaging.errors import PublishError, WorkerKilled
from messaging.handling import retry_notes, run_notes
from messaging.handling.attempts import attempts_with
from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.handling.dead_letters import dead_letter
from messaging.handling.retrying import publish_retry
from runtime.outage import Outage

logger = logging.getLogger(__name__)


class PutBack(Ignore):
    """The message waits with the broker, as a dependency is down."""


def settle(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: put the message back during an outage, give it up after any other error.

    Raises:
        Retry, Ignore: the message is safe elsewhere, and can be acked.
        Reject: it could not be published, and stays with the broker.
    """
    try:
        return go_on()
    except (Retry, Ignore, Reject):
        raise
    except Outage as outage:
        _put_back(call, outage)
    except Exception as error:
        _give_up(call, error)


def _put_back(call: MessageCall, outage: Outage) -> NoReturn:
    """The dependency stays down: the message waits with the broker, no attempt used up."""
    try:
        publish_retry(call, call.delivery.attempts, settings.RETRY_DELAYS_SECONDS[0])
    except PublishError as error:
        raise Reject(str(error), requeue=True) from error
    # The outage is in the log already; each of its messages need not be.
    logger.debug("%s put back, no attempt is used up: %s", call.delivery.message_id, outage)
    raise PutBack from outage


def _give_up(call: MessageCall, error: Exception) -> NoReturn:
    attempts = attempts_with(call, error)
    try:
        dead_letter(
            call.delivery,
            call.body,
            error,
            attempts=attempts,
            handler=call.handler.name,
        )
    except PublishError as unpublished:
        # The queue's own dead-letter arguments carry the message where we could not.
        raise Reject(str(unpublished), requeue=False) from unpublished
    retry_notes.gave_up(call, attempts)
    if isinstance(error, WorkerKilled):
        run_notes.end(call.delivery.life)
    raise Ignore from error
