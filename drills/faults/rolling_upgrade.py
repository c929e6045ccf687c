"""Processes are replaced one by one, while those of two releases work side by side.

A release is what it is on the wire: its messages, and the queues that it declares. So external
publishers publish as the previous one did (no `schema-version`, and to one queue alone through the
default exchange) and as the next one will (a newer `schema-version`), and one of them reads
whatever is published as the previous release reads it. The new processes declare other
queues than the old ones; `topology apply` brings those about under load.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import amqp

from drills.checks.invariant import RECORDS
from drills.drill import Drill
from drills.run import Run
from drills.traffic.external_publishers import publish_all
from drills.traffic.previous_release import unreadable
from drills.traffic.stock import put_on_sale
from drills.traffic.tap import tapped
from drills.violation import Kind, Violation

DELIVERY_LIMIT = "DELIVERY_LIMIT"
FIRST_LIMIT = 20
#: What a queue takes back beside that.
MORE_RETURNS = 1_000
MESSAGES = 5
NEWER_VERSION = 2
#: Where everything passes that the services publish for others.
EXCHANGES = ("order_events.topic", "inventory_events", "billing_events")
#: There is none of it, so that it touches no stock: inventory records a rejection.
SOLD_OUT = "drill-sold-out"
ITEM = {"sku": SOLD_OUT, "quantity": 1, "unitPrice": "1.00"}


def upgrade(run: Run) -> None:
    pipeline = run.site.pipeline
    limit = int((pipeline["relay"].env or {}).get(DELIVERY_LIMIT, FIRST_LIMIT)) + 1
    put_on_sale(run.site.database, SOLD_OUT, 0)
    names = [*pipeline.processes]
    run.chance.shuffle(names)
    run.wait(0.5, 1)
    with run.faults.during("processes of two releases"), tapped(run, *EXCHANGES) as tap:
        for name in names:
            publish_as_others(run)
            pipeline.stop([name])
            process = pipeline[name]
            process.env = {**(process.env or {}), DELIVERY_LIMIT: str(limit)}
            pipeline.start([name])
        run.seen += read_by_the_previous_release(run, tap.messages())
    with run.faults.during("topology apply"):
        applied = run.site.manage("topology", "apply", **{DELIVERY_LIMIT: str(limit)})
    if applied.returncode:
        run.seen.append(Violation(Kind.RECOVERY, f"topology apply: {applied.stdout[-500:]}"))
    run.seen += queues_of_the_new_release(run, limit)


def read_by_the_previous_release(run: Run, messages: list[Any]) -> Iterator[Violation]:
    """Violations where the previous release can't read what this one published."""
    run.measured["messages read by the previous release"] = len(messages)
    unread = Counter(problem for message in messages for problem in unreadable(message))
    for problem, times in unread.items():
        yield Violation(Kind.CONTRADICTION, f"the previous release can't read {problem} ({times})")
    heard = {message.properties.get("type") for message in messages}
    for type_ in ("order.placed", "order.confirmed", "inventory.reserved", "billing.invoiced"):
        if type_ not in heard:
            yield Violation(Kind.LOST, f"the previous release has heard no {type_}")


def publish_as_others(run: Run) -> None:
    """As the previous release did; and as the next one will, which nobody here can read."""
    for _ in range(MESSAGES):
        order_id = f"{run.chance.getrandbits(96):024x}"
        run.foreign_orders.append(order_id)
        message = _message(order_id, f"order.placed:{order_id}")
        publish_all(run, [(service, message) for service in RECORDS])
    newer_id = f"newer-{uuid.UUID(int=run.chance.getrandbits(128))}"
    run.bad_messages.append(newer_id)
    newer = _message("newer", newer_id, headers={"schema-version": NEWER_VERSION})
    publish_all(run, [(service, newer) for service in RECORDS])


def _message(order_id: str, message_id: str, **more: Any) -> amqp.Message:
    body = {"orderId": order_id, "userId": 7, "currency": "EUR", "items": [ITEM]}
    properties: dict[str, Any] = {
        "content_type": "application/json",
        "type": "order.placed",
        "message_id": message_id,
        "delivery_mode": 2,
    }
    if headers := more.get("headers"):
        properties["application_headers"] = headers
    return amqp.Message(json.dumps(body).encode(), **properties)


def queues_of_the_new_release(run: Run, limit: int) -> Iterator[Violation]:
    """Violations where a service's queue has not the arguments of the new release."""
    for queue in run.site.queues():
        name, found = queue["name"], queue["arguments"].get("x-delivery-limit")
        if name in RECORDS and found != limit + MORE_RETURNS:
            told = f"{name} has the delivery limit {found}, not {limit + MORE_RETURNS}"
            yield Violation(Kind.QUEUE, told)


def formats_of_both_are_done(run: Run) -> Iterator[Violation]:
    wanted = {"_id": {"$in": run.foreign_orders}}
    for service, records in RECORDS.items():
        done = {each["_id"] for each in run.site.database[records].find(wanted, {"_id": True})}
        for order_id in set(run.foreign_orders) - done:
            yield Violation(Kind.LOST, f"{service} did nothing for {order_id} of the last release")


DRILL = Drill(
    name="rolling-upgrade",
    promises=(1, 6),
    promise="A release replaces another one while orders flow, and nothing is lost",
    inject=upgrade,
    check=formats_of_both_are_done,
    orders=600,
    traffic_seconds=60,
)
