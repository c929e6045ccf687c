"""The relay publishes what is in the outbox, for as long as it runs.

Several may run; the one that holds the lease publishes, and the others are on standby. An outage of
MongoDB or RabbitMQ costs time and nothing else: the relay waits, and continues by itself.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable

from django.conf import settings
from pymongo.errors import PyMongoError

from messaging.errors import PublishError, Unroutable
from messaging.publishing.outbox import publish_pending
from messaging.publishing.publisher import Publisher, check_publishable
from orders.outbox import counts, store
from orders.outbox.arrivals import Arrivals
from orders.service import SERVICE
from runtime import heartbeat_file, presence
from runtime.batch_interval import Pace
from runtime.lease import RELAY_LEASE, Lease
from runtime.plural import counted
from runtime.stopping import StopRequest
from runtime.trouble import Reported, in_words

logger = logging.getLogger(__name__)

STANDBY_POLL_SECONDS = 1.0
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0


class Relay:
    """One relay of possibly several."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop
        self._lease = Lease(RELAY_LEASE)
        self._was_holder: bool | None = None
        #: Why it publishes nothing now; empty where nothing is wrong.
        self._fault = ""
        self._wait_seconds = 0.0
        self._reported = Reported()
        self._pace = Pace()
        self._arrivals = Arrivals()

    def run(self) -> None:
        """Publish pending events until asked to stop."""
        presence.doing(self._does_now)
        with Publisher(settings.AMQP_URL) as publisher:
            while not self._stop.requested:
                heartbeat_file.beat()
                if wait_seconds := self._cycle(publisher):
                    self._stop.wait(wait_seconds)
        self._arrivals.ignore()
        # If MongoDB is down the lease expires by itself.
        with contextlib.suppress(PyMongoError):
            self._lease.release()
        logger.info("Stopped.")

    def _cycle(self, publisher: Publisher) -> float:
        """Publish a batch, or wait for an event; return for how many seconds to wait then."""
        try:
            if not self._holds_lease():
                self._arrivals.ignore()
                self._fault = ""
                return STANDBY_POLL_SECONDS
            published = publish_batch(publisher)
            if not published:
                self._arrivals.wait(self._stop)
        except Unroutable as error:
            wait_seconds = self._outage(error)
            return 0.0 if self._publish_each_type(publisher) else wait_seconds
        except Exception as error:
            # The relay survives every error: nothing else would publish.
            return self._outage(error)
        self._outage_over()
        if published:
            presence.did("published", counted(published, "event"))
        if published > 1:
            self._arrivals.ignore()
        self._pace.called(published)
        return 0.0 if published >= store.BATCH_ORDERS else self._pace.pause_seconds()

    def _publish_each_type(self, publisher: Publisher) -> bool:
        """Publish what nothing is wrong with; whether there may be more of it.

        An exchange that is missing closes the channel, and takes the others of its batch along.
        """
        is_more = False
        for event in SERVICE.publishes:
            try:
                is_more = publish_batch(publisher, event.type) >= store.BATCH_ORDERS or is_more
            except PublishError:
                continue
            except Exception as error:
                self._outage(error)
        return is_more

    def _holds_lease(self) -> bool:
        is_holder = self._lease.is_held()
        if is_holder != self._was_holder:
            logger.info(
                "Publishing events." if is_holder else "On standby: another relay is active."
            )
        self._was_holder = is_holder
        return is_holder

    def _does_now(self) -> str:
        if self._fault:
            return f"tries again: {self._fault}"
        if self._was_holder is None:
            return ""
        return "publishes events" if self._was_holder else "is on standby for another relay"

    def _outage(self, error: Exception) -> float:
        self._arrivals.ignore()
        why = in_words(error)
        self._fault = f"{fault(error)}: {why}"
        if self._reported.is_new(why):
            logger.error(
                "%s, so events wait in the outbox; nothing is lost. The relay tries again until "
                "this is fixed: %s",
                fault(error),
                why,
                exc_info=not isinstance(error, PyMongoError | PublishError),
            )
        longer = max(FIRST_WAIT_SECONDS, self._wait_seconds * 2)
        self._wait_seconds = min(longer, LONGEST_WAIT_SECONDS)
        return self._wait_seconds

    def _outage_over(self) -> None:
        self._fault = ""
        if self._reported.end():
            logger.info("The fault is over; publishing again.")
        self._wait_seconds = 0.0


def fault(error: Exception) -> str:
    """Who is at fault, for the operator."""
    if isinstance(error, PyMongoError):
        return "MongoDB fails"
    if isinstance(error, Unroutable):
        return "RabbitMQ has no place for some events"
    if isinstance(error, PublishError):
        return "RabbitMQ fails"
    return f"The relay has an internal error ({type(error).__name__})"


def publish_batch(publisher: Publisher, event_type: str | None = None) -> int:
    """Publish the oldest pending events, of one type or of all, and take them out of the outbox.

    Returns how many it was; 0 when none was pending.

    Raises:
        PublishError: RabbitMQ has not confirmed all; those that it has are out of the outbox.
        pymongo.errors.PyMongoError: MongoDB did not answer; what was published is published
            again later.
    """
    pending = store.oldest_pending(event_type)
    outgoing = [store.outgoing(each.message) for each in pending]

    def mark_published(indexes: Iterable[int]) -> None:
        confirmed = [pending[index] for index in indexes]
        store.mark_published(confirmed)
        counts.confirmed(confirmed)

    counts.published(pending)
    try:
        publish_pending(publisher, outgoing, mark_published)
    except (PublishError, PyMongoError):
        raise
    except Exception:
        # The same batch without those at fault; what went out before them goes out twice.
        if not set_aside_unpublishable(pending):
            raise
        return publish_batch(publisher, event_type)
    return len(pending)


def set_aside_unpublishable(pending: list[store.Pending]) -> bool:
    """Set aside the orders whose messages no publisher takes; whether there are such."""
    found = False
    for each in pending:
        try:
            check_publishable(store.outgoing(each.message))
        except Exception as error:
            found = store.aside.add(each.order_id, error) or found
    return found
