"""The shop as its clients meet it: HTTP, the command line, a queue of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db import connection
from kombu import Connection, Consumer, Exchange, Message, Queue

from localservices.pipeline import process_environment
from tests.polling import eventually
from tests.processes import ROOT

ANSWER_SECONDS = 60
COMMAND_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API, by its address."""

    url: str
    #: An API key; none is needed in development.
    key: str = ""

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own; `content_type` is the header Content-Type."""
        http = HTTPConnection(urlsplit(self.url).netloc, timeout=ANSWER_SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            named["Authorization"] = f"Bearer {self.key}"
        try:
            http.request(method, path, body, named)
            response = http.getresponse()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            http.close()

    def post(self, user_id: int, *items: Any, **headers: str) -> Answer:
        """Ask for an order of these items, of one book where none are given."""
        body = json.dumps({"userId": user_id, "items": items or ["book"]}).encode()
        return self.ask("POST", "/orders", body, content_type="application/json", **headers)

    def place(self, user_id: int, *items: Any) -> str:
        """Place an order that must be taken; return its id."""
        answer = self.post(user_id, *items)
        assert answer.status == 201, answer
        return answer.json["order"]["orderId"]

    def order(self, order_id: str) -> dict[str, Any]:
        answer = self.ask("GET", f"/orders/{order_id}")
        assert answer.status == 200, answer
        return answer.json

    def status(self, order_id: str) -> str:
        return self.order(order_id)["status"]

    def states(self, order_id: str) -> tuple[str, str]:
        """What inventory and billing have done about the order."""
        ledger = self.order(order_id)["ledger"]
        return ledger["inventory"]["state"], ledger["billing"]["state"]

    def await_status(self, order_id: str, status: str) -> None:
        def reached() -> bool:
            assert self.status(order_id) == status
            return True

        eventually(reached)


def manage(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python manage.py …` as an operator would, whatever its exit code.

    `settings` are environment variables.
    """
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**process_environment(), **settings},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def await_failed_messages(count: int) -> list[dict[str, Any]]:
    """Wait until there are so many failed messages, and list them."""
    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({}) >= count)
    listed = failed_messages()
    assert len(listed) == count, listed
    return listed


def failed_messages(*filters: str) -> list[dict[str, Any]]:
    """What `manage.py failed_messages list --json` lists."""
    listed = manage("failed_messages", "list", "--json", "--limit", "500", *filters)
    assert listed.returncode == 0, listed.stderr
    return json.loads(listed.stdout)


@dataclass(slots=True)
class Listener:
    """A queue of our own, and what arrived there."""

    broker: Connection
    #: (type, correlation id) of each message, in the order of arrival.
    heard: list[tuple[str, str]] = field(default_factory=list)

    def types(self, order_id: str) -> list[str]:
        """The types of the events about one order that have arrived by now."""
        return [type_ for type_, about in self.heard if about == order_id]

    def listen(self, seconds: float = 0.5) -> None:
        """Take in whatever arrives, until nothing has for so long."""
        try:
            while True:
                self.broker.drain_events(timeout=seconds)
        except TimeoutError:
            return

    def note(self, message: Message) -> None:
        properties = message.properties
        self.heard.append((properties.get("type", ""), properties.get("correlation_id", "")))


@contextmanager
def listener(
    *exchanges: str, routing_key: str = "", arguments: dict[str, Any] | None = None
) -> Iterator[Listener]:
    """Bind a queue that is not the pipeline's to these exchanges, as any subscriber may."""
    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        queue = Queue(f"listener.{uuid4()}", exclusive=True)(channel)
        queue.declare()
        for exchange in exchanges:
            queue.bind_to(Exchange(exchange), routing_key, arguments)
        listener = Listener(broker)
        with Consumer(channel, [queue], on_message=listener.note, no_ack=True):
            yield listener
