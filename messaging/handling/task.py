"""A handler as a Celery task: attempts, the retry ladder, and what happens when they are used up.

Nothing waits in a worker: a retry is the same message, published to the service's own
`<service>.retry.<delay>` queue, from where the broker returns it to this service alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from celery import Task
from celery.exceptions import Ignore, Reject, Retry
from django.conf import settings

from messaging.certificate import (
    Attempt,
    class_name,
    encode_attempts,
    text_of,
    traceback_of,
)
from messaging.errors import PermanentError, PublishError, WorkerKilled
from messaging.handling import begun
from messaging.handling.dead_letters import dead_letter, worker_name
from messaging.handling.execution import telling_outages
from messaging.incoming import Delivery
from messaging.outages import ride_out
from messaging.publishing.publisher import Outgoing, process_publisher
from messaging.service import services
from messaging.topology import by_name, retry_queue
from runtime.outage import Outage

logger = logging.getLogger(__name__)


class EventTask(Task):
    """The base of every handler.

    The message is acked when its outcome is safe: the handler's effects and events are, or its
    retry is, or its dead letter is. Until then it stays with the broker.
    """

    abstract = True
    acks_late = True
    acks_on_failure = False
    acks_on_timeout = False
    reject_on_worker_lost = True
    ignore_result = True
    typing = False

    autoretry_for = (Exception,)
    dont_autoretry_for = (PermanentError, Outage)

    #: The handler's dotted name, for death certificates.
    handler_name = ""

    @property
    def delivery(self) -> Delivery:
        return self.request.delivery

    def __call__(self, body: bytes) -> None:
        self.request.started_at = datetime.now(UTC)
        self.request.started_on_clock = time.monotonic()
        try:
            ride_out(lambda: self._run_noted(body))
        except (Retry, Ignore, Reject):
            raise
        except Outage as outage:
            self._put_back(body, outage)
        except Exception as error:
            self._give_up(body, error)

    def _run_noted(self, body: bytes) -> None:
        """Run it; with a note that says so, where a run of it may have been killed before."""
        life = self.delivery.life
        if not life:
            self.run(body)
            return
        begun.begin(life)
        try:
            self.run(body)
        finally:
            begun.end(life)

    def retry(
        self,
        args: Any = None,
        kwargs: Any = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: Any = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> Retry:
        """Publish the message to the ladder's next rung, with this attempt added to its history.

        Takes the place of Celery's retry, which would publish to the fanout and so make every
        service run again. `countdown` (seconds) chooses the first rung that is at least as long.

        Raises:
            celery.exceptions.Retry: always, when the retry is safe (or returned, with `throw`
                false).
            exc: the attempts are used up.
            Outage: the broker has not taken the retry, or its queue is full.
            Unroutable: its queue is not there.
        """
        error = exc or Retry("asked for a retry")
        attempts = self._attempts(error)
        limit = self.max_retries if max_retries is None else max_retries
        ladder = settings.RETRY_DELAYS_SECONDS
        if limit is not None and len(attempts) > limit:
            raise error
        delay_seconds = rung(ladder, len(attempts), countdown)
        with telling_outages():
            self._publish_retry(attempts, delay_seconds)
        retry = Retry(exc=exc, when=delay_seconds)
        if throw:
            raise retry
        return retry

    def _attempts(self, error: BaseException) -> tuple[Attempt, ...]:
        earlier = self.delivery.attempts
        if isinstance(error, WorkerKilled):
            return earlier
        started_at = self.request.started_at
        this = Attempt(
            number=len(earlier) + 1,
            at=started_at.isoformat(),
            seconds=round(time.monotonic() - self.request.started_on_clock, 3),
            worker=worker_name(self.delivery.service),
            exception=class_name(error),
            message=text_of(error),
            traceback=traceback_of(error),
        )
        return (*earlier, this)

    def _publish_retry(self, attempts: tuple[Attempt, ...], delay_seconds: float) -> None:
        delivery = self.delivery
        queue = retry_queue(services()[delivery.service], delay_seconds)
        again = delivery.message(
            self.request.args[0],
            attempts=encode_attempts(attempts),
            original=delivery.original_json,
        )
        process_publisher().publish([Outgoing(again, by_name.name, queue.name)])

    def _put_back(self, body: bytes, outage: Outage) -> NoReturn:
        """The part is away for longer: the message waits with the broker, no attempt used up."""
        try:
            self._publish_retry(self.delivery.attempts, settings.RETRY_DELAYS_SECONDS[0])
        except PublishError as error:
            raise Reject(str(error), requeue=True) from error
        # The outage is in the log already; each of its messages need not be.
        logger.debug("%s put back, no attempt is used up: %s", self.delivery.message_id, outage)
        raise Ignore from outage

    def _give_up(self, body: bytes, error: Exception) -> NoReturn:
        try:
            dead_letter(
                self.delivery,
                body,
                error,
                attempts=self._attempts(error),
                handler=self.handler_name,
            )
        except PublishError as unpublished:
            # The queue's own dead-letter arguments carry the message where we could not.
            raise Reject(str(unpublished), requeue=False) from unpublished
        if isinstance(error, WorkerKilled):
            begun.end(self.delivery.life)
        raise Ignore from error


def rung(ladder: Sequence[float], attempts: int, countdown: float | None) -> float:
    """The delay in seconds before the next attempt, after `attempts` failed ones."""
    if countdown is not None:
        return next((delay for delay in ladder if delay >= countdown), ladder[-1])
    return ladder[min(attempts, len(ladder)) - 1]
