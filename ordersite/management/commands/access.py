"""`python manage.py access plan|apply`"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from ordersite.broker import management_api
from ordersite.rights import mongodb_users, rabbitmq_users
from ordersite.rights.logins import Logins, new_password, with_login
from runtime.trouble import in_words

#: By the name that people call them.
SERVERS: Mapping[str, Any] = {"RabbitMQ": rabbitmq_users, "MongoDB": mongodb_users}


class ExitCode(IntEnum):
    AS_DECLARED = 0
    #: Of `plan`: there is something to do.
    DIFFERENT = 1
    NOT_DONE = 2


class Command(BaseCommand):
    help = (
        "Give each kind of process a user of its own, with no more rights than it needs. `plan` "
        "shows what differs. `apply` changes it, and writes each new user's login into a file of "
        "settings. The logins of AMQP_URL and MONGODB_URL have to be administrators'. Exits with "
        "0 if all is as declared, 1 if something differs, 2 if a server failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "act", choices=("plan", "apply"), help="show what differs, or change it"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--folder",
            type=Path,
            help="with `apply`: the folder of the files with the logins, billing.env and so on",
        )
        parser.add_argument(
            "--renew",
            action="append",
            default=[],
            metavar="USER",
            choices=sorted(rabbitmq_users.declared()),
            help="with `apply`: give this user another password; then restart its processes",
        )

    def handle(self, **options: Any) -> None:
        if not settings.RABBITMQ_MANAGEMENT_URL:
            raise CommandError(
                "RabbitMQ's users are known to its management API alone. Set its address, for "
                "example: export RABBITMQ_MANAGEMENT_URL=http://localhost:15672",
                returncode=ExitCode.NOT_DONE,
            )
        if options["act"] == "apply" and options["folder"] is None:
            raise CommandError(
                "Name the folder of the users' logins, for example: access apply --folder "
                "/etc/ordersite",
                returncode=ExitCode.NOT_DONE,
            )
        try:
            if options["act"] == "plan":
                self._plan(options["json"])
            else:
                self._apply(Logins(options["folder"]), options["renew"], options["json"])
        except management_api.Unavailable as error:
            raise CommandError(f"{error} {error.next_step}", returncode=ExitCode.NOT_DONE) from None
        except PyMongoError as error:
            raise CommandError(
                f"MongoDB has an error ({in_words(error)}). The user of MONGODB_URL has to "
                "have the role userAdmin, or root, of the database admin.",
                returncode=ExitCode.NOT_DONE,
            ) from None

    def _plan(self, in_json: bool) -> None:
        found = {name: server.differences() for name, server in SERVERS.items()}
        if in_json:
            told = {
                name: {each.user: list(each.lines()) for each in differ}
                for name, differ in found.items()
            }
            self.stdout.write(json.dumps(told, indent=2))
        else:
            self._say(found)
        if any(found.values()):
            sys.exit(ExitCode.DIFFERENT)

    def _say(self, found: Mapping[str, Sequence[Any]]) -> None:
        for name, differ in found.items():
            for each in differ:
                self.stdout.write(f"{name}'s user {each.user}:")
                self.stdout.writelines(f"  {line}\n" for line in each.lines())
        if not any(found.values()):
            self.stdout.write("Users and rights are as declared: nothing to do.")

    def _apply(self, logins: Logins, renew: list[str], in_json: bool) -> None:
        done = []
        # One that a server knows already has to get the password that is new to the others.
        unwritten = {user for user in rabbitmq_users.declared() if not logins.read(user)}
        renewed = {*renew}
        for name, server in SERVERS.items():
            for each in server.differences():
                server.grant(each, partial(self._written, logins, each.user))
                done.append({"server": name, "user": each.user, "changed": list(each.lines())})
                if each.has is None and each.user in unwritten:
                    renewed.add(each.user)
        for user in sorted(renewed):
            password = self._written(logins, user, renewed=user in renew)
            for server in SERVERS.values():
                if user in server.declared():
                    server.set_password(user, password)
            if user in renew:
                done.append(
                    {"server": "all servers", "user": user, "changed": ["another password"]}
                )
        for user in rabbitmq_users.declared():
            # The servers may have other addresses than when it was written.
            if logins.read(user):
                self._written(logins, user)
        if in_json:
            self.stdout.write(json.dumps({"done": done}, indent=2))
            return
        for act in done:
            self.stdout.write(f"{act['user']} of {act['server']}: {'; '.join(act['changed'])}.")
        self.stdout.write("Users and rights are as declared.")

    def _written(self, logins: Logins, user: str, renewed: bool = False) -> str:
        """The user's password, written down before a server hears of it."""
        password = new_password() if renewed else logins.password(user)
        urls = {"AMQP_URL": with_login(settings.AMQP_URL, user, password)}
        if user in mongodb_users.declared():
            urls["MONGODB_URL"] = mongodb_users.with_login(settings.MONGODB_URL, user, password)
        logins.write(user, urls)
        return password
