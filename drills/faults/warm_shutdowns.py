"""Each process is asked to stop (SIGTERM) under load, and started again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import amqp

from drills.drill import Drill
from drills.invariant import RECORDS, Kind, Violation
from drills.run import Run
from drills.strangers import publish_nonsense

#: What a process manager grants before it kills, e.g. `docker stop` by default.
GRACE_SECONDS = 10.0
BAD_MESSAGES = 20


def stop_and_start(run: Run) -> None:
    run.wait(0.5, 1)
    stops = [
        *((service, run.site.pipeline.workers(service)) for service in (*RECORDS, "orders")),
        *((name, [name]) for name in ("web", "relay", "archiver", "scheduler")),
    ]
    run.chance.shuffle(stops)
    for what, names in stops:
        if what == "archiver":
            publish_nonsense(run, BAD_MESSAGES)
        stop(run, what, names)
        run.seen += done_and_not_acked(run, what)
        run.site.pipeline.start(names)
        run.wait(0.2, 1)


def stop(run: Run, what: str, names: Iterable[str]) -> None:
    with run.faults.during(f"SIGTERM of {what}"):
        started = time.monotonic()
        exit_codes = run.site.pipeline.stop(names, GRACE_SECONDS)
        run.measured[f"{what} stopped in s"] = round(time.monotonic() - started, 2)
    for name, exit_code in exit_codes.items():
        if exit_code != 0:
            run.seen.append(Violation(Kind.RECOVERY, f"{name}, asked to stop, ended {exit_code}"))


def done_and_not_acked(run: Run, what: str) -> Iterator[Violation]:
    """What a process gave back when it stopped, although it had done it, is done again."""
    database = run.site.database
    if what in RECORDS:
        ids = [each.properties.get("correlation_id") for each in waiting(run, what)]
        done = database[RECORDS[what]].find({"_id": {"$in": ids}}, {"_id": True})
        placed = {each["_id"] for each in done}
        # A cancellation, too, waits for what is done already.
        again = [
            each.properties["correlation_id"]
            for each in waiting(run, what)
            if each.properties.get("type") == "order.placed"
            and each.properties.get("correlation_id") in placed
        ]
        yield from (Violation(Kind.TWICE, f"{what} gave back {one}, done") for one in again)
    if what == "relay":
        for order in database["orders"].find({"pending_events.type": "order.placed"}):
            if database["invoices"].find_one({"_id": str(order["_id"])}):
                yield Violation(Kind.TWICE, f"the relay publishes {order['_id']} again")
    if what == "archiver":
        for service in RECORDS:
            ids = [each.properties.get("message_id") for each in waiting(run, f"{service}.dlq")]
            stored = {"service": service, "message_id": {"$in": ids}}
            for each in database["failed_messages"].find(stored):
                yield Violation(Kind.TWICE, f"the archiver gave back {each['message_id']}, stored")


def waiting(run: Run, queue: str) -> list[amqp.Message]:
    """What is in the queue now; all of it stays there."""
    messages = []
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        while (message := channel.basic_get(queue)) is not None:
            messages.append(message)
        # Whatever is unacked goes back.
        channel.close()
    return messages


DRILL = Drill(
    name="warm-shutdowns",
    promises=(3,),
    promise="A process that is asked to stop finishes what it has begun, in time",
    inject=stop_and_start,
    orders=600,
    traffic_seconds=40,
)
