"""`python manage.py serve`"""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentTypeError
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from messaging import declarations
from ordersite.environment import HIGHEST_PORT
from ordersite.web import server
from runtime.requests.number import whole_number


class Command(BaseCommand):
    help = "Answer HTTP requests until stopped, as in production; runserver is for development."
    # Those of the pages are for `check`: they would make each start slower.
    requires_system_checks = (declarations.TAG,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="the address to listen on, default %(default)s; "
            f"{server.EVERY_NETWORK} is every one, IPv4 and IPv6",
        )
        parser.add_argument("--port", type=port, default=8000, help="the port, default %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        # uvicorn sends itself the signal again by which it was asked to stop, once it has.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        server.UVICORN.warn()
        server.bound_connections()
        uvicorn.run(
            "ordersite.asgi:application",
            host=server.listening(options["host"]),
            port=options["port"],
            loop="uvloop",
            **server.options(settings.TRUSTED_PROXIES),
        )


def port(text: str) -> int:
    """Of a greater number the system would take a part, and listen somewhere else."""
    try:
        return whole_number(text, 0, HIGHEST_PORT)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
