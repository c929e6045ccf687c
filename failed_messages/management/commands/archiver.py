"""`python manage.py archiver`: moves dead-lettered messages into the database until stopped."""

from __future__ import annotations

import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from kombu import Connection

from failed_messages.archiver import Archiver

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Archive every dead-lettered message and record how replays ended, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        archiver = Archiver(Connection(settings.AMQP_URL))
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_, lambda *_: archiver.stop())
        archiver.run()
        log.info("The archiver has stopped")
