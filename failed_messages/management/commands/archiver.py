"""`python manage.py archiver`: moves dead-lettered messages into the database until stopped."""

from __future__ import annotations

import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from failed_messages.archiving.archiver import Archiver
from messaging import declarations
from runtime import heartbeat_file, presence
from runtime.connecting import HEARTBEAT_SECONDS, connection_to
from runtime.metrics import serving

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5


class Command(BaseCommand):
    help = "Archive every dead-lettered message and record how replays ended, until stopped."
    # The others are of pages, which it has none of.
    requires_system_checks = (declarations.TAG,)

    def handle(self, *args: Any, **options: Any) -> None:
        archiver = Archiver(
            connection_to(
                settings.AMQP_URL, within_seconds=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS
            )
        )
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_, lambda *_: archiver.stop())
        heartbeat_file.begin("archiver")
        presence.begin("archiver")
        serving.serve()
        archiver.run()
        log.info("The archiver has stopped")
