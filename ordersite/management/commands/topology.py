"""`python manage.py topology show|plan|apply`"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from enum import IntEnum
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from kombu import Connection

from messaging.errors import PublishError
from ordersite.broker import management_api
from ordersite.pipeline import topology_map
from ordersite.topology_change import plan
from ordersite.topology_change.applying import apply
from ordersite.topology_change.moving import Undone
from ordersite.topology_change.rendering import as_json, as_text
from runtime.connecting import BROKER_ERRORS, connect, connection_to
from runtime.trouble import in_words

CONNECT_SECONDS = 5


class ExitCode(IntEnum):
    AS_DECLARED = 0
    #: `plan`: there is something to do. `apply`: something was left, and it says why.
    DIFFERENT = 1
    NOT_DONE = 2


class Command(BaseCommand):
    help = (
        "`show` prints which service publishes what, and which listens to it. The "
        "others change queues, bindings and exchanges on RabbitMQ to what is declared, while "
        "messages flow: `plan` shows what `apply` would do. If `apply` is killed, run it again. "
        "Exits with 0 if all is as declared, 1 if something differs or was left, 2 if "
        "RabbitMQ failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "act",
            choices=("show", "plan", "apply"),
            help="show what is declared, show what differs on RabbitMQ, or change it",
        )
        parser.add_argument(
            "--json", action="store_true", help="with `plan` and `apply`: print JSON"
        )
        parser.add_argument(
            "--mermaid", action="store_true", help="with `show`: print a Mermaid flowchart"
        )

    def handle(self, **options: Any) -> None:
        if options["act"] == "show":
            self._say(topology_map.as_mermaid() if options["mermaid"] else topology_map.as_text())
            return
        if not settings.RABBITMQ_MANAGEMENT_URL:
            raise CommandError(
                "RabbitMQ tells its queues' arguments and its bindings by its management API "
                "alone. Set its address, for example: "
                "export RABBITMQ_MANAGEMENT_URL=http://localhost:15672",
                returncode=ExitCode.NOT_DONE,
            )
        carry_out = self._plan if options["act"] == "plan" else self._apply
        try:
            with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
                connect(broker)
                exit_code = carry_out(broker, options["json"])
        except Undone as error:
            raise CommandError(str(error), returncode=ExitCode.NOT_DONE) from error
        except (*BROKER_ERRORS, PublishError, management_api.Unavailable) as error:
            raise CommandError(
                f"RabbitMQ failed ({in_words(error)}). No message is lost; when it is "
                "fixed, run this again: it continues where it was.",
                returncode=ExitCode.NOT_DONE,
            ) from error
        if exit_code:
            sys.exit(exit_code)

    def _plan(self, broker: Connection, in_json: bool) -> ExitCode:
        made = plan.make(broker)
        self._say(json.dumps(as_json(made), indent=2) if in_json else as_text(made))
        return ExitCode.AS_DECLARED if made.is_empty else ExitCode.DIFFERENT

    def _apply(self, broker: Connection, in_json: bool) -> ExitCode:
        done: list[str] = []
        left = apply(broker, done.append if in_json else self._say)
        if in_json:
            self._say(json.dumps({"done": done, "left": left}, indent=2))
        else:
            for each in left:
                self._say(f"Left {each}")
            self._say("Done." if left else "RabbitMQ is as declared.")
        return ExitCode.DIFFERENT if left else ExitCode.AS_DECLARED

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
