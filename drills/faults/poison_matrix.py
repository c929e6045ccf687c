"""Malformed, hostile and huge messages between good ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import product

from drills.cluster.pipeline import SERVICES
from drills.drill import Drill
from drills.run import Run
from drills.traffic.poison import EXECUTED, KINDS, TO_ONE_SERVICE, Poison, publish
from drills.violation import Kind, Violation
from drills.waiting import wait_until

ROUNDS = 2
#: Without one message more that is told.
TOLD_SECONDS = 60

#: Orders' queue has each as an event of billing's: it would fail there for want of a type alone.
TYPES = {"orders": {"type": "billing.invoiced"}}


def publish_poison(run: Run) -> None:
    EXECUTED.unlink(missing_ok=True)
    children = pool_children(run)
    run.wait(0.5, 1.5)
    for _ in range(ROUNDS):
        names = run.chance.sample([*KINDS], len(KINDS))
        with run.faults.during(f"{len(names)} kinds of poison"):
            for name in names:
                run.bad_messages.append(publish_to_all(run, name, KINDS[name]))
                run.wait(0, 0.1)
    wait_until(
        lambda: not untold(run),
        TOLD_SECONDS,
        "Giving up all the poison",
        left=lambda: len(untold(run)),
    )
    for name in {name for name, _ in children - pool_children(run)}:
        run.seen.append(Violation(Kind.RECOVERY, f"a child of {name} has died"))


def pool_children(run: Run) -> set[tuple[str, int]]:
    """Name and pid of each process's children; one that died would have been replaced.

    None is replaced without need: no setting lets a child end after some work.
    """
    pipeline = run.site.pipeline
    return {(name, child.pid) for name in pipeline.pids() for child in pipeline.pool_children(name)}


def publish_to_all(run: Run, name: str, poison: Poison) -> str:
    """Publish to every service, past the proxies; returns the message's id."""
    message_id = f"{name}-{uuid.UUID(int=run.chance.getrandbits(128))}"
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        channel.confirm_select()
        alone = SERVICES if poison.comes_back else ("orders",)
        for service in alone:
            shown = publish(
                channel,
                poison,
                message_id,
                exchange=TO_ONE_SERVICE,
                routing_key=service.encode(),
                **TYPES.get(service, {}),
            )
        if not poison.comes_back:
            shown = publish(channel, poison, message_id)
    return shown


def all_told_and_nobody_died(run: Run) -> Iterator[Violation]:
    for service, message_id in untold(run):
        yield Violation(Kind.LOST, f"{service} has no failed message {message_id}")
    if EXECUTED.exists():
        yield Violation(Kind.CONTRADICTION, f"somebody has executed a message: {EXECUTED} is there")
    yield from run.deaths()


def untold(run: Run) -> set[tuple[str, str]]:
    """(service, message id) of the poison that is not a failed message with a reason yet."""
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
