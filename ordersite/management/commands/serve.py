"""`python manage.py serve`"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandParser

#: A client that keeps its connection may take so long between two requests.
KEEP_ALIVE_SECONDS = 75
#: Asked to stop, whom the server took is answered; only a stream that stays open longer is cut.
STOP_SECONDS = 5


class Command(BaseCommand):
    help = "Answer HTTP requests until stopped, as in production; runserver is for development."
    requires_system_checks: Sequence[str] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0: on every network")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        # uvicorn sends itself the signal again by which it was asked to stop, once it has.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        uvicorn.run(
            "ordersite.asgi:application",
            host=options["host"],
            port=options["port"],
            loop="uvloop",
            http="httptools",
            ws="none",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
