"""`python manage.py api_keys VERB`: who may use the API, for a terminal and for scripts."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from failed_messages.reading.filters import duration
from ordersite.access import keys
from ordersite.access.keys import InvalidKey, NewKey
from ordersite.access.models import ApiKey
from ordersite.access.representation import key_json, keys_json
from ordersite.access.scopes import SCOPES, UnknownScope
from runtime.moment import exact
from runtime.os_user import add_by
from runtime.requests.number import whole_number
from runtime.requests.text import fault_in
from runtime.terminal import table
from runtime.trouble import of_mongodb

SHOWN_ONCE = "Copy it now: only its hash is stored, so it cannot be shown again."
HEADS = ("id", "state", "user", "name", "expires", "last used", "scopes")


class Command(BaseCommand):
    help = "Create, list, rotate and revoke the keys of the API's clients."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add_create(verbs)
        add_verb(verbs, "list", "the keys, the newest first", self.list)
        rotate = add_verb(
            verbs,
            "rotate",
            "make the successor of a key; the old one still works for a while",
            self.rotate,
        )
        rotate.add_argument("id", help="the key's id, as `list` shows it")
        rotate.add_argument(
            "--overlap",
            type=time,
            default=keys.OVERLAP,
            help="how long the old key still works; default 24h",
        )
        add_verb(verbs, "revoke", "end a key at once", self.revoke).add_argument(
            "id", help="the key's id"
        )
        verbs.choices["create"].set_defaults(run=self.create)
        for name in ("create", "rotate", "revoke"):
            add_by(verbs.choices[name])

    def handle(self, *args: Any, **options: Any) -> None:
        for name, value in options.items():
            if isinstance(value, str) and (fault := fault_in(value)):
                raise CommandError(f"{name}: {fault}")
        try:
            options["run"](options)
        except ApiKey.DoesNotExist:
            raise CommandError(f"There is no key {options['id']!r}; list shows them.") from None
        except InvalidKey as error:
            raise CommandError(f"{error.field}: {error}") from error
        except UnknownScope as error:
            raise CommandError(str(error)) from error
        except (PyMongoError, DatabaseError) as error:
            raise CommandError(of_mongodb(error)) from error

    def create(self, options: dict[str, Any]) -> None:
        made = keys.create(
            options["name"],
            [name for text in options["scope"] for name in text.split(",")],
            by=options["by"],
            user_id=options["user"],
            lifetime=options["expires"],
            rate=options["rate"],
        )
        self._show(made, options)

    def rotate(self, options: dict[str, Any]) -> None:
        self._show(
            keys.rotate(options["id"], by=options["by"], overlap=options["overlap"]), options
        )

    def revoke(self, options: dict[str, Any]) -> None:
        record = keys.revoke(options["id"], by=options["by"])
        text = f"The key {record.pk} of {record.name} is revoked."
        self.stdout.write(json.dumps(key_json(record)) if options["json"] else text)

    def list(self, options: dict[str, Any]) -> None:
        stored = list(ApiKey.objects.all())
        shown = keys_json(stored)
        if options["json"]:
            self.stdout.write(json.dumps(shown, indent=2))
            return
        ids = {each["id"] for each in shown}
        rows = [row(each) for each in stored if each.pk in ids]
        lines = table(HEADS, rows, stdout=self.stdout) if rows else ["There is no key."]
        self.stdout.write("\n".join(lines))

    def _show(self, made: NewKey, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({**key_json(made.record), "key": made.secret}, indent=2))
            return
        self.stdout.write(f"{made.secret}\n{SHOWN_ONCE}")


def add_verb(verbs: Any, name: str, help_: str, run: Any = None) -> Any:
    verb = verbs.add_parser(name, help=help_)
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(run=run)
    return verb


def add_create(verbs: Any) -> None:
    verb = add_verb(verbs, "create", "make a key and show it once")
    verb.add_argument("name", help="who holds it")
    owner = verb.add_mutually_exclusive_group(required=True)
    owner.add_argument("--user", type=number, metavar="USER_ID", help="a customer's key")
    owner.add_argument(
        "--shop",
        dest="user",
        action="store_const",
        const=None,
        help="the key of a shop, which acts for all customers",
    )
    verb.add_argument(
        "--scope",
        action="append",
        required=True,
        metavar="SCOPE",
        help=f"repeat it, or separate several by commas: {', '.join(SCOPES)}",
    )
    verb.add_argument(
        "--expires",
        type=lifetime,
        default=keys.LIFETIME,
        help=f"after how long it ends: 30d, 12h or never; default {keys.LIFETIME.days}d",
    )
    verb.add_argument(
        "--rate",
        type=number,
        metavar="N",
        help="the most requests a second; without it as the settings say",
    )


def row(key: ApiKey) -> tuple[object, ...]:
    """Of the list, below `HEADS`."""
    return (
        *(key.pk, key.state, "all" if key.user_id is None else key.user_id, key.name),
        exact(key.expires_at) if key.expires_at else "never",
        exact(key.last_used_at) if key.last_used_at else "never",
        ",".join(map(str, key.scopes)),
    )


def number(text: str) -> int:
    try:
        return whole_number(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def time(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def lifetime(text: str) -> timedelta | None:
    return None if text == "never" else time(text)
