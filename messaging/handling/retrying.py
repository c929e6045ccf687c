"""The retries of a failed attempt: which delay, and to whom.

Nothing waits in a worker: a retry is the same message, published to the service's own
`<service>.retry.<delay>` queue, from where the broker returns it to this service alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from messaging.certificate import Attempt, encode_attempts
from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.publishing.publisher import Outgoing, process_publisher
from messaging.service import services
from messaging.topology import by_name, retry_queue


def retry_failures(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: Celery's own, around the task's `run`; it calls `EventTask.retry`."""
    answers: Answers = call.task.run(go_on)
    return answers


def publish_retry(call: MessageCall, attempts: tuple[Attempt, ...], delay_seconds: float) -> None:
    """Publish the message to be handled again after the delay, and wait for the confirm.

    Raises:
        PublishError: the broker has not confirmed it.
    """
    delivery = call.delivery
    queue = retry_queue(services()[delivery.service], delay_seconds)
    again = delivery.message(
        call.body,
        attempts=encode_attempts(attempts),
        original=delivery.original_json,
    )
    process_publisher().publish([Outgoing(again, by_name.name, queue.name)])


def delay_before(schedule: Sequence[float], attempts: int, countdown: float | None) -> float:
    """The seconds before the next attempt, by the backoff schedule; `attempts` have failed."""
    if countdown is not None:
        return next((delay for delay in schedule if delay >= countdown), schedule[-1])
    return schedule[min(attempts, len(schedule)) - 1]
