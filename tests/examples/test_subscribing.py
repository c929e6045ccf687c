"""docs/subscribing.md, followed to the letter: its table, its Python and its Node."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection, Exchange, Queue

from localservices.pipeline import ROOT
from messaging.service import events, exchange_of
from messaging.topology import exchanges
from tests import broker
from tests.polling import eventually

PAGE = (ROOT / "docs/subscribing.md").read_text()
PYTHON, BY_HEADER = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NODE, LARGE_USER_ID = re.findall(r"^```js\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
#: Each row's exchanges, type, and what a queue gets.
ROWS = re.findall(r"^\| (`.*) \| (\w+) \| (.+) \|$", PAGE, re.MULTILINE)

IN_THE_PAGE = "amqp://guest:guest@localhost:5672//"
CONFIRMED = {"orderId": "674300000000000000000001", "total": "12.50", "currency": "EUR"}

#: Stands for the package of that name: it notes what is asked of it, and delivers one message.
AMQPLIB = """
const noted = [];
const channel = {
  assertQueue: async (queue, options) => (noted.push([queue, options]), { queue }),
  bindQueue: async (...binding) => noted.push(binding),
  prefetch: async (count) => noted.push([count]),
  consume: async (queue, hear) => hear({
    content: Buffer.from(JSON.stringify(%s)),
    properties: { messageId: 'order.confirmed:1' },
  }),
  ack: () => console.log(JSON.stringify(noted)),
};
exports.connect = async (url) => (noted.push([url]), { createChannel: async () => channel });
"""


def test_the_exchanges_are_there_and_of_that_type() -> None:
    told = {name: type_ for names, type_, _ in ROWS for name in re.findall(r"`(.+?)`", names)}
    there = {each.name: each.type for each in exchanges()}

    assert len(told) == 5
    assert told == {name: there[name] for name in told}


def test_a_fanout_gets_the_types_that_the_page_names() -> None:
    [(_, _, gets)] = [row for row in ROWS if row[0] == "`order_events`"]
    published = {type_ for type_ in events() if exchange_of(type_).name == "order_events"}

    assert set(re.findall(r"`(.+?)`", gets)) == published


@pytest.fixture
def deleted_afterwards() -> Iterator[None]:
    yield
    with Connection(settings.AMQP_URL) as connection:
        for queue in ("mailer", "statistics"):
            connection.default_channel.queue_delete(queue)


@pytest.mark.usefixtures("clean", "deleted_afterwards")
def test_the_python_program_hears_of_a_confirmed_order() -> None:
    assert IN_THE_PAGE in PYTHON
    program = subprocess.Popen(
        [sys.executable, "-u", "-c", PYTHON.replace(IN_THE_PAGE, settings.AMQP_URL)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(has_queue)
        publish("order.placed", 1)
        publish("order.confirmed", 3)
        assert program.stdout is not None
        assert program.stdout.readline() == "674300000000000000000001 12.50 EUR\n"
    finally:
        program.kill()
        program.communicate()


def has_queue() -> bool:
    with Connection(settings.AMQP_URL) as connection:
        try:
            return bool(connection.default_channel.queue_declare("mailer", passive=True))
        except connection.channel_errors:
            return False


@pytest.mark.usefixtures("clean", "deleted_afterwards")
def test_a_queue_that_is_bound_by_header_gets_the_first_version_alone() -> None:
    names: dict[str, Any] = {"Exchange": Exchange, "Queue": Queue}
    exec(BY_HEADER, names)
    with Connection(settings.AMQP_URL) as connection:
        names["first_versions"](connection.default_channel).declare()

    publish("order.placed", 1)
    publish("order.cancelled", 2)

    assert [each.properties["type"] for each in broker.take_all("statistics")] == ["order.placed"]


def publish(type_: str, version: int) -> None:
    """As orders publishes it."""
    broker.publish(
        json.dumps(CONFIRMED).encode(),
        exchange=exchange_of(type_).name,
        routing_key=type_,
        headers={"order-version": version, "schema-version": 1},
        type=type_,
        content_type="application/json",
    )


@pytest.mark.usefixtures("programs")
def test_the_node_program_binds_a_durable_queue_and_acks(tmp_path: Path) -> None:
    package = tmp_path / "node_modules/amqplib/index.js"
    package.parent.mkdir(parents=True)
    package.write_text(AMQPLIB % json.dumps(CONFIRMED))

    heard, noted = node(NODE, tmp_path)

    assert heard == "order.confirmed:1 674300000000000000000001 12.50"
    assert json.loads(noted) == [
        [IN_THE_PAGE.removesuffix("//")],
        ["mailer", {"durable": True}],
        ["mailer", "order_events.topic", "order.confirmed"],
        [20],
    ]


@pytest.mark.usefixtures("programs")
def test_a_large_user_id_keeps_each_of_its_digits_in_node(tmp_path: Path) -> None:
    body = json.dumps({**CONFIRMED, "userId": 2**63 - 1})
    message = f"const message = {{ content: Buffer.from('{body}') }};\n"

    assert node(message + LARGE_USER_ID + "console.log(userId);", tmp_path) == [str(2**63 - 1)]


def node(program: str, folder: Path) -> list[str]:
    """The lines that it prints."""
    (folder / "program.js").write_text(program)
    ran = subprocess.run(
        ["node", "program.js"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()
