"""Run the periodic jobs."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from ordersite.scheduler import JOBS, scheduler


class Command(BaseCommand):
    help = "Run the periodic jobs until stopped."

    def handle(self, **options: Any) -> None:
        for job in JOBS:
            self.stdout.write(f"every {job.every_seconds:>4} s  {job.name}  {job.purpose}")
        self.stdout.flush()
        running = scheduler()
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, lambda *_: running.shutdown(wait=False))
        running.start()
        self.stdout.write("Stopped.")
