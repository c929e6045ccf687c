"""Run the periodic jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ordersite.pipeline.scheduler import JOBS, Scheduler
from runtime import sign_of_life
from runtime.stopping import StopRequest
from runtime.waiting import wait_for_database


class Command(BaseCommand):
    help = "Run the periodic jobs until stopped."

    def handle(self, **options: Any) -> None:
        stop = StopRequest()
        stop.listen()
        sign_of_life.begin("scheduler")
        for job in JOBS:
            self.stdout.write(f"every {job.every_seconds:>4} s  {job.name}  {job.purpose}")
        self.stdout.flush()
        # Not for RabbitMQ: most jobs do without it.
        wait_for_database(stop)
        Scheduler().run(stop)
        self.stdout.write("Stopped.")
