"""What runs periodically: plain functions of the apps, each with its interval."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps

from apscheduler.schedulers.background import BackgroundScheduler
from django.contrib.sessions.backends.db import SessionStore

from failed_messages.alerts import send_alerts
from failed_messages.job_runner import advance_jobs
from failed_messages.policies import apply_policies
from failed_messages.replay import publish_claimed
from failed_messages.retention import delete_expired, delete_old_counts
from inventory.shipping import publish_shipped
from messaging.begun import forget_old
from messaging.outages import is_outage
from ordersite.reconciling import reconcile

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A function that is called again and again, safe to call at any time."""

    run: Callable[[], object]
    every_seconds: int
    purpose: str

    @property
    def name(self) -> str:
        return f"{self.run.__module__}.{self.run.__qualname__}"


JOBS = [
    Job(publish_shipped, 2, "publishes that orders were shipped"),
    Job(advance_jobs, 1, "takes the next step of each bulk replay"),
    Job(publish_claimed, 30, "publishes replays that the broker has not confirmed"),
    Job(reconcile, 60, "sends orders again to a service that never answered them"),
    Job(send_alerts, 10, "tells of new, returning and frequent failures"),
    Job(apply_policies, 30, "replays what an operator's policy says is due"),
    Job(delete_expired, 3_600, "deletes failed messages that are settled for long enough"),
    Job(delete_old_counts, 3_600, "deletes counts of failures that no chart shows any more"),
    Job(forget_old, 3_600, "deletes notes of runs whose messages never came back"),
    Job(SessionStore.clear_expired, 3_600, "deletes the expired logins of the admin"),
]


def scheduler() -> BackgroundScheduler:
    """A scheduler with every job, first run at once; after `start()` they run in threads."""
    background = BackgroundScheduler(timezone=UTC)
    for job in JOBS:
        background.add_job(
            surviving_outages(job),
            "interval",
            seconds=job.every_seconds,
            id=job.name,
            name=job.name,
            next_run_time=datetime.now(UTC),
            # After a pause of the machine one run does for all that were missed.
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
    return background


def surviving_outages(job: Job) -> Callable[[], None]:
    """The job's function; a whole outage is one line in the log, and the next run's business."""
    is_out = False

    @wraps(job.run)
    def run() -> None:
        nonlocal is_out
        try:
            job.run()
        except Exception as error:
            if not is_outage(error):
                raise
            if not is_out:
                logger.warning(
                    "%s could not run, and tries again every %s s: %s",
                    job.name,
                    job.every_seconds,
                    error,
                )
            is_out = True
        else:
            is_out = False

    return run
