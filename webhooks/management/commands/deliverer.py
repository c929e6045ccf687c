"""`python manage.py deliverer`: sends webhooks until stopped."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging import declarations
from runtime import heartbeat_file, presence
from runtime.metrics import serving
from runtime.stopping import StopRequest
from runtime.waiting import wait_for_database
from webhooks.deliverer import Deliverer

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send what the service webhooks has noted to the customers' endpoints, until stopped."
    # The others are of pages, which it has none of.
    requires_system_checks = (declarations.TAG,)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.WEBHOOKS:
            raise CommandError("Webhooks are off here. Set WEBHOOKS=true for every process.")
        stop = StopRequest()
        stop.listen()
        heartbeat_file.begin("deliverer")
        presence.begin("deliverer")
        serving.serve()
        wait_for_database(stop)
        logger.info("The deliverer has started")
        Deliverer().run(stop)
        logger.info("The deliverer has stopped")
