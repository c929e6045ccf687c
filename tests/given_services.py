"""A MongoDB and a RabbitMQ of the user's own, of which the tests use one name each.

Nothing of the user's is touched: the tests make a database and a virtual host, and delete both.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from localservices.direct import urlopen

PREFIX = "ordersite_test_"
SETTINGS = ("MONGODB_URL", "AMQP_URL", "RABBITMQ_MANAGEMENT_URL")
#: Where a process finds what was set before the tests' own settings took its place.
KEPT = "ORDERSITE_TESTS_GIVEN"
ANSWER_SECONDS = 60
STANDARD_MANAGEMENT_PORT = 15672

UNSET = "Or unset {setting}: the tests then start a {service} of their own."


class NotUsable(Exception):
    """The tests cannot use the user's service; the text says why, and what to do."""


def given(environment: MutableMapping[str, str]) -> dict[str, str]:
    """What the user has set of `SETTINGS`; also in a process that a run of the tests has started.

    Such a process, a worker of pytest-xdist above all, has the tests' own URLs in its environment.
    """
    found = {name: environment[name] for name in SETTINGS if environment.get(name)}
    urls: dict[str, str] = json.loads(environment.setdefault(KEPT, json.dumps(found)))
    return urls


def new_name() -> str:
    """A name for a database and a virtual host that no other run and no other process has."""
    return f"{PREFIX}{uuid.uuid4().hex[:12]}"


class GivenMongoDB:
    """A database of the tests' own on the user's MongoDB."""

    def __init__(self, url: str, name: str) -> None:
        """Nothing is connected yet.

        Raises:
            NotUsable: the URL is wrong.
        """
        self.url = url
        self.name = name
        self._is_used = False
        try:
            #: Of its first host.
            self.port = int(parse_uri(url)["nodelist"][0][1])
        except (PyMongoError, ValueError) as error:
            raise self._not_usable(str(error), "Correct the URL.") from error

    def start(self) -> None:
        """See that the tests may make and drop databases there.

        Raises:
            NotUsable: they may not, or there is no replica set.
        """
        try:
            with self._client() as client:
                if "setName" not in client.admin.command("hello"):
                    raise self._not_usable(
                        "it is not a replica set",
                        "Start mongod with --replSet rs0, then run rs.initiate() in mongosh.",
                    )
                client[self.name]["probe"].insert_one({})
                self._is_used = True
                client.drop_database(self.name)
        except OperationFailure as error:
            raise self._not_usable(
                str(error).partition(" to execute command")[0],
                "In mongosh, as an administrator, with the user's name and database: "
                "db.grantRolesToUser('USER', [{role: 'readWriteAnyDatabase', db: 'admin'}, "
                "{role: 'dbAdminAnyDatabase', db: 'admin'}]).",
            ) from error
        except PyMongoError as error:
            # Behind the comma PyMongo lists all that it knows.
            reason = str(error).partition(", Topology Description")[0]
            raise self._not_usable(reason, "Start it, or correct the URL.") from error

    def kill(self) -> None:
        """Drop every database whose name begins with the tests' own."""
        if not self._is_used:
            return
        with suppress(PyMongoError), self._client() as client:
            for name in client.list_database_names():
                if name.startswith(self.name):
                    client.drop_database(name)

    def _client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.url, serverSelectionTimeoutMS=ANSWER_SECONDS * 1_000)

    def _not_usable(self, why: str, fix: str) -> NotUsable:
        unset = UNSET.format(setting="MONGODB_URL", service="MongoDB")
        return NotUsable(f"MONGODB_URL: the tests cannot use this MongoDB: {why}. {fix} {unset}")


class GivenRabbitMQ:
    """A virtual host of the tests' own on the user's RabbitMQ."""

    def __init__(self, url: str, management_url: str | None, name: str) -> None:
        """Nothing is connected yet.

        Raises:
            NotUsable: the URL is wrong.
        """
        first = urlsplit(url.split(";")[0])
        self.url = ";".join(
            urlsplit(each)._replace(path=f"/{name}").geturl() for each in url.split(";")
        )
        host = f"[{first.hostname}]" if ":" in (first.hostname or "") else first.hostname
        self.management_url = management_url or f"http://{host}:{STANDARD_MANAGEMENT_PORT}"
        try:
            self.port = first.port or (5671 if first.scheme == "amqps" else 5672)
        except ValueError as error:
            raise self._not_usable(str(error), "Correct the URL.") from error
        self.name = name
        self.user = unquote(first.username or "guest")
        self._password = unquote(first.password or "guest")
        self._is_made = False

    def launch(self) -> None:
        """Make the virtual host.

        Raises:
            NotUsable: the user of AMQP_URL may not, or the management API does not answer.
        """
        self._ask("PUT", f"vhosts/{self.name}", {})
        self._is_made = True
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._ask("PUT", f"permissions/{self.name}/{quote(self.user, safe='')}", everything)

    def wait_until_ready(self) -> None:
        """It was, before the tests began."""

    def kill_at_once(self) -> None:
        """Delete the virtual host with all that is in it."""
        if self._is_made:
            self._is_made = False
            with suppress(NotUsable):
                self._ask("DELETE", f"vhosts/{self.name}")

    def _ask(self, method: str, path: str, content: dict[str, str] | None = None) -> None:
        login = base64.b64encode(f"{self.user}:{self._password}".encode()).decode()
        request = Request(
            f"{self.management_url.rstrip('/')}/api/{path}",
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            urlopen(request, timeout=ANSWER_SECONDS).close()
        except HTTPError as error:
            raise self._not_usable(
                f"{self.user} may not make a virtual host ({error.code} {error.reason})",
                f"rabbitmqctl set_user_tags {self.user} administrator.",
            ) from error
        except (OSError, ValueError) as error:
            raise self._not_usable(
                f"its management API does not answer at {self.management_url} ({error})",
                "rabbitmq-plugins enable rabbitmq_management, or set RABBITMQ_MANAGEMENT_URL, "
                "e.g. http://localhost:15672.",
            ) from error

    def _not_usable(self, why: str, fix: str) -> NotUsable:
        unset = UNSET.format(setting="AMQP_URL", service="RabbitMQ")
        return NotUsable(f"AMQP_URL: the tests cannot use this RabbitMQ: {why}. {fix} {unset}")
