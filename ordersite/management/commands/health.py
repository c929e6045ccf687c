"""`python manage.py health PROCESS`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from runtime import health


class Command(BaseCommand):
    help = (
        "Say whether a process on this machine works; exit with 1 if it does not. For a probe that "
        "runs every few seconds, `python -m runtime.health PROCESS` does the same faster."
    )
    requires_system_checks: Sequence[str] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            health.READY,
            action="store_true",
            help="exit with 1 also while it waits for MongoDB, migrations or RabbitMQ",
        )
        parser.add_argument("process", choices=health.PROCESSES, help="the kind of process")

    def handle(self, *args: Any, **options: Any) -> None:
        ready = [health.READY] if options["ready"] else []
        sys.exit(health.main([*ready, options["process"]]))
