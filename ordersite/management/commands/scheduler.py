"""Run the periodic jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from messaging.stopping import StopRequest
from messaging.waiting import wait_for_database
from ordersite.scheduler import JOBS, scheduler

HOUR_SECONDS = 3_600


class Command(BaseCommand):
    help = "Run the periodic jobs until stopped."

    def handle(self, **options: Any) -> None:
        # A signal handler must not call the scheduler, whose locks it may have interrupted.
        stop = StopRequest()
        stop.listen()
        for job in JOBS:
            self.stdout.write(f"every {job.every_seconds:>4} s  {job.name}  {job.purpose}")
        self.stdout.flush()
        # Not for RabbitMQ: most jobs do without it.
        wait_for_database(stop)
        running = scheduler()
        running.start()
        while not stop.requested:
            stop.wait(HOUR_SECONDS)
        running.shutdown(wait=False)
        self.stdout.write("Stopped.")
