"""Malformed, hostile and huge messages between good ones."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import amqp
from bson import Binary

from drills.drill import Drill
from drills.invariant import RECORDS
from drills.pipeline import SERVICES
from drills.run import Run
from drills.site import LOCAL
from drills.unreadable import publish_unreadable
from drills.violation import Kind, Violation
from drills.waiting import wait_until

HUGE_BYTES = 5_000_000
#: There, once somebody has executed what a message says.
EXECUTED = LOCAL / "executed"
ROUNDS = 2
TOLD_SECONDS = 60

ITEM = {"sku": "pen", "quantity": 1, "unitPrice": "1.00"}
ORDER = {"orderId": "6743f0000000000000000001", "userId": 7, "items": [ITEM]}

#: Whoever unpickles it makes that file.
PICKLE = f"\x80\x04cos\nsystem\n(S'touch {EXECUTED}'\ntR.".encode("latin-1")

BILLINGS_EVENT = {"type": "billing.invoiced"}


def order(**changes: Any) -> bytes:
    return json.dumps({**ORDER, **changes}).encode()


def item(**changes: Any) -> bytes:
    return order(items=[{**ITEM, **changes}])


@dataclass(frozen=True, slots=True)
class Poison:
    """One shape of a message that nobody can handle."""

    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)


SHAPES: dict[str, Poison] = {
    "empty": Poison(b""),
    "cut off": Poison(order()[:-7]),
    "no UTF-8": Poison(b'{"userId": "\xff\xfe"}'),
    "zero bytes": Poison(b"\x00" * 1_000),
    "NaN": Poison(order(userId=float("nan"))),
    "nested deeply": Poison(b"[" * 100_000 + b"]" * 100_000),
    "array": Poison(b"[1, 2]"),
    "string": Poison(b'"order"'),
    "null": Poison(b"null"),
    "Celery call": Poison(b'[["x"], {}, {"callbacks": null, "chord": null}]'),
    "pickle": Poison(PICKLE),
    "pickle that says so": Poison(
        PICKLE, {"content_type": "application/x-python-serialize", "content_encoding": "binary"}
    ),
    "nothing in it": Poison(b"{}"),
    "operator for an id": Poison(order(orderId={"$gt": ""})),
    "half a number for an id": Poison(order(orderId=1.5)),
    "no id": Poison(json.dumps({"userId": 7, "items": [ITEM]}).encode()),
    "no items": Poison(order(items=[])),
    "items null": Poison(order(items=None)),
    "items an operator": Poison(order(items={"$where": "sleep(1000)"})),
    "operator for a SKU": Poison(item(sku={"$ne": None})),
    "negative quantity": Poison(item(quantity=-1)),
    "quantity beyond 64 bits": Poison(item(quantity=2**70)),
    "quantity in words": Poison(item(quantity="one")),
    "huge": Poison(b'{"padding": "' + b"x" * HUGE_BYTES + b'"}'),
    "unknown type": Poison(order(), {"type": "order.exploded"}),
    "another content type": Poison(order(), {"content_type": "text/xml"}),
    "packed": Poison(order(), {"content_encoding": "gzip"}),
    "Celery task": Poison(order(), headers={"task": "os.system", "id": "1"}),
    "absurd eta": Poison(order(), headers={"eta": "10000-99-99"}),
    "absurd time limit": Poison(order(), headers={"timelimit": ["x", -1]}),
    "absurd retries": Poison(order(), headers={"retries": -(10**12)}),
    "headers of 100 KB": Poison(b"{", headers={"x": "y" * 100_000}),
    "forged certificate": Poison(
        b"{", headers={"certificate": "{}", "attempts": "[", "x-death": [{"count": 1}]}
    ),
}


def publish_poison(run: Run) -> None:
    EXECUTED.unlink(missing_ok=True)
    children = pool_children(run)
    run.wait(0.5, 1.5)
    for _ in range(ROUNDS):
        names = run.chance.sample([*SHAPES], len(SHAPES))
        with run.faults.during(f"{len(names)} shapes of poison"):
            for name in names:
                run.bad_messages.append(publish(run, name, SHAPES[name]))
                run.wait(0, 0.1)
    run.unreadable_bodies.append(unreadable_body(run))
    unreadable = run.faults.during("properties that nobody can read")
    with unreadable, run.site.amqp_connection() as connection:
        publish_unreadable(connection.channel(), unreadable_body(run))
    wait_until(lambda: not untold(run), TOLD_SECONDS, "Giving up all the poison")
    for name in {name for name, _ in children - pool_children(run)}:
        run.seen.append(Violation(Kind.RECOVERY, f"a child of {name} has died"))


def pool_children(run: Run) -> set[tuple[str, int]]:
    """Name and pid of each process's children; one that died would have been replaced.

    None is replaced without need: no setting lets a child end after some work.
    """
    pipeline = run.site.pipeline
    return {(name, child.pid) for name in pipeline.pids() for child in pipeline.pool_children(name)}


def publish(run: Run, name: str, poison: Poison) -> str:
    """Publish to every service, past the proxies; returns the message's id.

    Orders' queue has it as an event of billing's: it would fail there for want of a type alone.
    """
    message_id = f"{name}-{uuid.UUID(int=run.chance.getrandbits(128))}"
    properties = {"content_type": "application/json", "message_id": message_id, "delivery_mode": 2}
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        channel.confirm_select()
        for exchange, queue, kind in (("order_events", "", {}), ("", "orders", BILLINGS_EVENT)):
            message = amqp.Message(
                poison.body,
                application_headers=poison.headers,
                **{**properties, **kind, **poison.properties},
            )
            channel.basic_publish_confirm(message, exchange=exchange, routing_key=queue)
    return message_id


def unreadable_body(run: Run) -> bytes:
    return b"unreadable " + str(run.users[0]).encode()


def all_told_and_nobody_died(run: Run) -> Iterator[Violation]:
    failed = run.site.database["failed_messages"]
    for service in RECORDS:
        found = failed.find_one({"service": service, "body": Binary(unreadable_body(run))})
        if found is None or not found.get("reason"):
            yield Violation(Kind.LOST, f"{service} has no failed message of unreadable properties")
    for service, message_id in untold(run):
        yield Violation(Kind.LOST, f"{service} has no failed message {message_id}")
    if EXECUTED.exists():
        yield Violation(Kind.CONTRADICTION, f"somebody has executed a message: {EXECUTED} is there")
    yield from run.deaths()


def untold(run: Run) -> set[tuple[str, str]]:
    """(service, message id) of the poison that is no failed message with a reason yet."""
    query = {"message_id": {"$in": run.bad_messages}, "reason": {"$gt": ""}}
    found = run.site.database["failed_messages"].find(query, {"service": 1, "message_id": 1})
    told = {(failed["service"], failed["message_id"]) for failed in found}
    return {*product(SERVICES, run.bad_messages)} - told


DRILL = Drill(
    name="poison-matrix",
    promises=(6, 7, 10),
    promise="No single message can stop a worker, and hostile input stays data",
    inject=publish_poison,
    check=all_told_and_nobody_died,
)
