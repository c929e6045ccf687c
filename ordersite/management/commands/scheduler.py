"""Run the periodic jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from messaging import declarations
from ordersite.pipeline.scheduler import JOBS, Scheduler
from runtime import heartbeat_file, presence
from runtime.metrics import serving
from runtime.stopping import StopRequest
from runtime.terminal import table
from runtime.waiting import wait_for_database


class Command(BaseCommand):
    help = "Run the periodic jobs until stopped."
    # The others are of pages, which it has none of.
    requires_system_checks = (declarations.TAG,)

    def handle(self, **options: Any) -> None:
        stop = StopRequest()
        stop.listen()
        heartbeat_file.begin("scheduler")
        presence.begin("scheduler")
        serving.serve()
        jobs = [(job.name, job.every_seconds, job.purpose) for job in JOBS]
        heads = ("job", "every (seconds)", "what it does")
        self.stdout.write("\n".join(table(heads, jobs, stdout=self.stdout, numbers=heads[1:2])))
        self.stdout.flush()
        # Not for RabbitMQ: most jobs do without it.
        wait_for_database(stop)
        Scheduler().run(stop)
        self.stdout.write("Stopped.")
