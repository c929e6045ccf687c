"""docs/adding-a-service.md, followed to the letter in a copy of the checkout."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kombu import Connection

from drills.cluster.checkout import copy_to, install
from localservices.mongodb import MongoDB
from localservices.pipeline import process_environment, procfile
from localservices.rabbitmq import RabbitMQ
from tests.journeys.api import Api
from tests.journeys.own_services import own_services
from tests.polling import eventually
from tests.processes import ROOT, Processes

PAGE = ROOT / "docs/adding-a-service.md"
NAME = "adding-a-service"
START = "make run"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone would have, in a folder of its own."""
    return copy_to(tmp_path / "checkout")


@pytest.fixture
def settings(mongodb: MongoDB, rabbitmq: RabbitMQ) -> Iterator[dict[str, str]]:
    with own_services(mongodb, rabbitmq, NAME) as settings:
        yield settings


class Reader:
    """Does what the page says, line by line, with `python` in the place of its virtualenv."""

    def __init__(self, checkout: Path, settings: dict[str, str], logs: Path) -> None:
        self.checkout = checkout
        self.settings = settings
        self.processes = Processes(logs, root=checkout)
        self.api = Api("")
        self._page = PAGE.read_text()
        blocks = re.findall(r"^```sh\n(.*?)^```", self._page, re.DOTALL | re.MULTILINE)
        self._lines = [line for block in blocks for line in block.splitlines()]

    def next(self, contains: str) -> str:
        """The output of the page's next command, which has to be this one."""
        line = self._lines.pop(0)
        assert contains in line, f"the page says {line!r} where {contains!r} was to come"
        words = shlex.split(line)
        if words[0] == "curl":
            return self._curl(words)
        assert words[0] == ".venv/bin/python", line
        return self.run(words[1:])

    def run(self, words: list[str], exit_code: int = 0) -> str:
        """Its output; another exit code is an AssertionError, and so "not yet" where one polls."""
        ran = subprocess.run(
            [sys.executable, *words],
            cwd=self.checkout,
            env={**process_environment(), **self.settings},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == exit_code, ran.stdout + ran.stderr
        return ran.stdout

    def edit_settings(self) -> None:
        """Add the line that the page shows, behind the other services'."""
        shown = re.search(r"# ordersite/settings.py, INSTALLED_APPS\n(.+)\n", self._page)
        assert shown
        install(self.checkout, shown[1])

    def start(self) -> None:
        """`make run`, but for the services, which are there."""
        setting, _, command = self._lines.pop(0).partition(" ")
        assert command == START
        name, _, value = setting.partition("=")
        self.settings |= {name: value}
        self.run(["-m", "localservices.preparing"])
        self.run(["manage.py", "declare_topology"])
        others = [each for each in procfile(self.checkout) if each != "web"]
        assert "shipping" in others
        self.workers = dict(
            zip(others, self.processes.start(*others, **self.settings), strict=True)
        )
        self.api = Api(self.processes.start_web(**self.settings))

    def all_done(self) -> bool:
        return not self._lines

    def _curl(self, words: list[str]) -> str:
        body = words[words.index("-d") + 1].encode()
        path = urlsplit(words[3]).path
        answer = self.api.ask("POST", path, body, content_type="application/json")
        assert answer.status == 201, answer
        return answer.body.decode()


@pytest.fixture
def reader(checkout: Path, settings: dict[str, str], tmp_path: Path) -> Iterator[Reader]:
    follows = Reader(checkout, settings, tmp_path)
    yield follows
    follows.processes.stop()


def order_id(answer: str) -> str:
    return json.loads(answer)["order"]["orderId"]


def test_the_page_makes_a_service_that_has_all_that_the_others_have(reader: Reader) -> None:
    assert "shipping" in reader.next("startservice")
    reader.edit_settings()
    reader.next("check")
    assert "  -> queue shipping: order.confirmed -> announced" in reader.next("topology show")
    reader.start()

    announced = order_id(reader.next("curl"))
    eventually(lambda: state(reader, announced) == "announced")
    assert lane(reader, announced) == "announced"
    eventually(lambda: line(reader)["done"] == 1)
    assert "shipping: 1 accepted = 1 done" in reader.next("conservation")

    reader.next("simulate_fault")
    failing = order_id(reader.next("curl"))
    eventually(lambda: line(reader)["failed"] == 1)
    assert failing in reader.next("failed_messages list")
    reader.next("simulate_fault shipping --user 700 --kind none")
    reader.next("failed_messages replay")
    eventually(lambda: state(reader, failing) == "announced")
    assert reader.all_done()

    lose_a_message(reader)


def lose_a_message(reader: Reader) -> None:
    """What the page's last steps do by hand."""
    reader.workers["shipping"].stop()
    # Otherwise the event is sent again within a minute, and is in flight then.
    reader.workers["scheduler"].stop()
    lost = reader.api.place(101, "book")
    with Connection(reader.settings["AMQP_URL"]) as broker:
        channel = broker.channel()
        eventually(lambda: channel.queue_purge("shipping") == 1)

    eventually(lambda: line(reader)["orders"] == [lost])
    assert lost in reader.run(["manage.py", "conservation"], exit_code=1)
    reader.workers["shipping"].start()
    reader.workers["scheduler"].start()
    eventually(lambda: state(reader, lost) == "announced", 90)
    eventually(lambda: line(reader)["done"] == line(reader)["accepted"] == 3)
    assert reader.run(["manage.py", "conservation"])


def state(reader: Reader, order: str) -> str:
    return reader.api.order(order)["ledger"].get("shipping", {}).get("state", "")


def line(reader: Reader) -> dict[str, Any]:
    """Of conservation."""
    answer = reader.api.ask("GET", "/pipeline/conservation")
    assert answer.status == 200, answer
    [found] = [each for each in answer.json["lines"] if each["service"] == "shipping"]
    return found


def lane(reader: Reader, order: str) -> str:
    answer = reader.api.ask("GET", f"/orders/{order}/timeline")
    [found] = [each for each in answer.json["services"] if each["service"] == "shipping"]
    return found["outcome"]
