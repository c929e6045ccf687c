"""Run the periodic jobs."""

from __future__ import annotations

import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand

from ordersite.scheduler import JOBS, scheduler


class Command(BaseCommand):
    help = "Run the periodic jobs until stopped."

    def handle(self, **options: Any) -> None:
        running = scheduler()

        def stop(*_: object) -> None:
            if not running.running:
                sys.exit(0)
            running.shutdown(wait=False)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        for job in JOBS:
            self.stdout.write(f"every {job.every_seconds:>4} s  {job.name}  {job.purpose}")
        self.stdout.flush()
        running.start()
        self.stdout.write("Stopped.")
