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

#: A connection that is lost without a sign, as behind a firewall, is noticed after two of these.
#: https://www.rabbitmq.com/docs/heartbeats
HEARTBEAT_SECONDS = 10


class Command(BaseCommand):
    help = "Archive every dead-lettered message and record how replays ended, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        archiver = Archiver(Connection(settings.AMQP_URL, heartbeat=HEARTBEAT_SECONDS))
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_, lambda *_: archiver.stop())
        archiver.run()
        log.info("The archiver has stopped")
