"""A handler as a Celery task."""

from __future__ import annotations

from typing import Any

from celery import Task
from celery.exceptions import Retry
from django.conf import settings

from messaging.errors import PermanentError
from messaging.handling import retry_notes
from messaging.handling.attempts import attempts_with
from messaging.handling.call import MessageCall
from messaging.handling.handler import Handler
from messaging.handling.middlewares import around_a_message, run
from messaging.handling.retrying import delay_before, publish_retry
from messaging.outages import telling_outages
from runtime.outage import Outage


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
    Request = "messaging.consuming.counted_request:CountedRequest"

    autoretry_for = (Exception,)
    dont_autoretry_for = (PermanentError, Outage)

    handler: Handler

    def __call__(self, body: bytes) -> str:
        """Returns the types of the events that it has published, for who counts them."""
        delivery = self.request.delivery
        self.request.call = MessageCall(
            service=delivery.service,
            type=delivery.type,
            handler=self.handler,
            raw=[body],
            publishers=[delivery.publisher],
            delivery=delivery,
            task=self,
        )
        answers = run(self.request.call, around_a_message())
        return " ".join(event.type for events in answers for event in events or ())

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
        """Publish the message to the retry queue of the next delay, with this attempt in its
        history.

        Takes the place of Celery's retry, which would publish to the fanout and so make every
        service run again. `countdown` (seconds) chooses the first delay that is at least as long.

        Raises:
            celery.exceptions.Retry: always, when the retry is safe (or returned, with `throw`
                false).
            exc: the attempts are used up.
            Outage: the broker has not taken the retry, or its queue is full.
            Unroutable: its queue is not there.
        """
        error = exc or Retry("asked for a retry")
        call: MessageCall = self.request.call
        attempts = attempts_with(call, error)
        limit = self.max_retries if max_retries is None else max_retries
        if limit is not None and len(attempts) > limit:
            raise error
        delay_seconds = delay_before(settings.RETRY_DELAYS_SECONDS, len(attempts), countdown)
        with telling_outages():
            publish_retry(call, attempts, delay_seconds)
        most = None if limit is None else limit + 1
        retry_notes.retried(call, attempts, delay_seconds, most)
        retry = Retry(exc=exc, when=delay_seconds)
        if throw:
            raise retry
        return retry
