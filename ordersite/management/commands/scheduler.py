"""Run the periodic jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from messaging.stopping import StopRequest
from ordersite.scheduler import JOBS, scheduler

A_DAY_SECONDS = 86_400


class Command(BaseCommand):
    help = "Run the periodic jobs until stopped."

    def handle(self, **options: Any) -> None:
        # The scheduler's own lock would be waited for for ever by a signal that interrupts it.
        stop = StopRequest()
        stop.listen()
        for job in JOBS:
            self.stdout.write(f"every {job.every_seconds:>4} s  {job.name}  {job.purpose}")
        self.stdout.flush()
        running = scheduler()
        running.start()
        while not stop.requested:
            stop.wait(A_DAY_SECONDS)
        running.shutdown(wait=False)
        self.stdout.write("Stopped.")
