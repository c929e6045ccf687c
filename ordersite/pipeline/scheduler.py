"""What runs periodically: plain functions of the apps, each with its interval.

Each job has a thread of its own that waits on the monotonic clock: a wall clock that is set back by
an hour must not make it wait for an hour.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from django.contrib.sessions.backends.db import SessionStore

from failed_messages.acting.alerts import send_alerts
from failed_messages.acting.bulk_discard import advance_discards
from failed_messages.acting.job_runner import advance_jobs
from failed_messages.acting.policies import apply_policies
from failed_messages.acting.replay import publish_claimed
from failed_messages.acting.retention import delete_expired, delete_old_counts
from failed_messages.acting.second_person import forget_acts_alone
from messaging.errors import PublishError
from messaging.handling import retry_notes
from messaging.handling.run_notes import forget_old
from messaging.outages import is_outage
from messaging.outboxes import outboxes
from messaging.unasked_events import keeper_in
from ordersite.overview import measuring
from ordersite.overview.measuring import measure
from ordersite.overview.stored_snapshot import (
    EVERY_SECONDS,
    SHARE,
    Sparing,
    ask_doctor,
    recount_stock,
    take_sparingly,
)
from ordersite.personal_data.erasing import erase_what_came_since
from ordersite.personal_data.retention import forget_customers
from ordersite.pipeline import scheduler_heartbeat, webhook_alerts
from ordersite.pipeline.awaited_notes import AwaitedNotes
from ordersite.pipeline.reconciling import reconcile
from ordersite.pipeline.verdict_alerts import Watch
from runtime import heartbeat_file, presence
from runtime.connecting import BROKER_ERRORS
from runtime.stopping import StopRequest
from runtime.trouble import Reported, in_words
from webhooks import retention, sending_again

logger = logging.getLogger(__name__)

#: Beyond its interval; a job that has not ended a run for so much longer is late.
LATE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Job:
    """A function that is called again and again, safe to call at any time."""

    run: Callable[[], object]
    every_seconds: float
    purpose: str

    @property
    def name(self) -> str:
        return f"{self.run.__module__}.{self.run.__qualname__}"


def publishing_jobs() -> list[Job]:
    """One for each outbox that the scheduler publishes from, however many events wait in it."""
    return [
        Job(
            keeper_in(each.module).publish_waiting,
            every_seconds=2,
            purpose=f"publishes the events of {each.service} that wait in {each.module}",
        )
        for each in outboxes()
        if each.published_by == "scheduler"
    ]


JOBS = [
    *publishing_jobs(),
    Job(advance_jobs, 1, "runs the next step of each bulk replay"),
    Job(advance_discards, 1, "discards the next messages of each bulk discard"),
    Job(publish_claimed, 30, "publishes replays that the broker has not confirmed"),
    Job(AwaitedNotes().take_out, 3, "tells orders what services note and do not answer"),
    Job(reconcile, 60, "sends orders again to a service that never answered them"),
    Job(send_alerts, 10, "sends alerts of new, regressed and frequent failures"),
    Job(Watch().run, 10, "sends an alert when the front page's verdict changes"),
    Job(webhook_alerts.send_alerts, 60, "sends alerts of webhook endpoints that were disabled"),
    Job(apply_policies, 30, "replays what policies ask for now"),
    Job(take_sparingly, EVERY_SECONDS, "reads and keeps what the front page shows"),
    Job(Sparing(measure, SHARE), measuring.EVERY_SECONDS, "measures the last minutes for charts"),
    Job(Sparing(ask_doctor, 20), 60, "keeps what the doctor finds"),
    Job(Sparing(recount_stock, 100), 60, "keeps whether the stock is as its movements say"),
    Job(retry_notes.forget_old, 3_600, "deletes notes of retries that are over for long"),
    Job(presence.forget_old, 3_600, "deletes what processes said that are gone for long"),
    Job(delete_expired, 3_600, "deletes old failed messages that are resolved or discarded"),
    Job(sending_again.go_on, 5, "sends the next batch of what webhook endpoints missed"),
    Job(retention.delete_old, 3_600, "deletes what webhooks delivered long ago"),
    Job(delete_old_counts, 3_600, "deletes counts of failures that no chart shows any more"),
    Job(forget_acts_alone, 3_600, "deletes notes of who acted alone more than an hour ago"),
    Job(erase_what_came_since, 300, "erases what came since of people whose data were erased"),
    Job(forget_customers, 3_600, "takes the customer out of orders that are old enough"),
    Job(forget_old, 3_600, "deletes notes of runs whose messages never came back"),
    Job(SessionStore.clear_expired, 3_600, "deletes the expired logins of the admin"),
]


class Scheduler:
    """Runs jobs side by side, the first time at once, until it is asked to stop."""

    def __init__(self, jobs: Sequence[Job] = JOBS) -> None:
        self._cycles = [Cycles(job) for job in jobs]
        self._stopping = Event()
        self._began_at = time.monotonic()
        self._reported = Reported()

    def run(self, stop: StopRequest) -> None:
        """Return when asked to stop and every run that had begun has ended."""
        threads = [Thread(target=each.run, args=(self._stopping,)) for each in self._cycles]
        for thread in threads:
            thread.start()
        presence.doing(self._running)
        while not stop.requested:
            self._beat()
            stop.wait(scheduler_heartbeat.EVERY_SECONDS)
        self._stopping.set()
        for thread in threads:
            thread.join()
        scheduler_heartbeat.end()

    def late(self) -> list[str]:
        """The names of the jobs that are late."""
        return [each.job.name for each in self._cycles if each.is_late]

    def _running(self) -> str:
        """For the operators."""
        names = [each.job.name for each in self._cycles if each.is_running]
        return f"runs {', '.join(names)}" if names else "waits for the next job's time"

    def _beat(self) -> None:
        """An outage is one line in the log."""
        late = self.late()
        heartbeat_file.beat(
            f"scheduler: {', '.join(late)} does not end; start it again." if late else ""
        )
        try:
            scheduler_heartbeat.beat(late, time.monotonic() - self._began_at)
        except Exception as error:
            # Whatever it is, the jobs continue, and readiness misses the heartbeat.
            if self._reported.is_new(why := in_words(error)):
                logger.warning("The scheduler cannot store its heartbeat in MongoDB: %s", why)
        else:
            self._reported.end()


class Cycles:
    """The runs of one job, one after the other."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._reported = Reported()
        #: On `time.monotonic`'s clock.
        self._ended_at = time.monotonic()
        self.is_running = False

    def run(self, stopping: Event) -> None:
        """Run the job every so many seconds; what was missed meanwhile is one run."""
        while not stopping.is_set():
            due_at = time.monotonic() + self.job.every_seconds
            self.is_running = True
            self._once()
            self.is_running = False
            self._ended_at = time.monotonic()
            presence.did("ran", self.job.name)
            stopping.wait(max(0.0, due_at - self._ended_at))

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self._ended_at > self.job.every_seconds + LATE_SECONDS

    def _once(self) -> None:
        """The thread survives every error; each trouble is logged once."""
        try:
            self.job.run()
        except Exception as error:
            if self._reported.is_new(why := in_words(error)):
                logger.warning(
                    "%s failed, and runs again every %s s: %s",
                    self.job.name,
                    self.job.every_seconds,
                    why,
                    exc_info=not is_trouble(error),
                )
        else:
            if self._reported.end():
                logger.info("%s runs again", self.job.name)


def is_trouble(error: Exception) -> bool:
    """Whether it is about MongoDB or RabbitMQ, so that a traceback says nothing more."""
    return is_outage(error) or isinstance(error, (PublishError, *BROKER_ERRORS))
