"""Each message is delivered fifty times, in any order, and again a minute later."""

from __future__ import annotations

import time
from typing import Any

from drills.cluster.pipeline import SERVICES
from drills.cluster.rabbitmq_cluster import STALE_SECONDS
from drills.drill import Drill
from drills.run import Run
from drills.traffic.external_publishers import publish_all
from drills.traffic.peek import taken
from drills.traffic.tap import tapped
from drills.waiting import lasting, wait_until

COPIES = 50
#: Of these, so many come a minute late.
LATE_COPIES = 10
LATE_SECONDS = 60
#: Orders and cancellations that come while no worker runs.
GATHERING_SECONDS = 300


def deliver_again_and_again(run: Run) -> None:
    workers = [name for service in SERVICES for name in run.site.pipeline.workers(service)]
    run.site.pipeline.stop(workers)
    run.traffic.wait()
    wait_until(lambda: published(run), GATHERING_SECONDS, "Publishing everything")
    with run.faults.during(f"{COPIES} deliveries of each message, in any order"):
        first = taken_from(run, "inventory", "billing")
        with tapped(run, "inventory_events", "billing_events") as tap:
            publish(run, first, COPIES - LATE_COPIES)
            run.site.pipeline.start(workers)
            wait_until_drained(run)
            # A repeated order is answered again, under the same message id.
            answers = unique([("orders", answer) for answer in tap.messages()])
        publish(run, answers, COPIES - LATE_COPIES)
    time.sleep(LATE_SECONDS)
    with run.faults.during(f"{LATE_COPIES} more of each, a minute late"):
        publish(run, [*first, *answers], LATE_COPIES)
        wait_until_drained(run)


def published(run: Run) -> bool:
    """Whether the relay has taken everything out of the outbox."""
    pending = run.site.database["orders"].find_one({"pending_events": {"$ne": []}})
    return pending is None


def taken_from(run: Run, *queues: str) -> list[tuple[str, Any]]:
    """Everything that waits in these queues, taken out, each with its queue."""
    return [(queue, message) for queue in queues for message in taken(run, queue)]


def unique(messages: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [*{message.properties["message_id"]: (to, message) for to, message in messages}.values()]


def publish(run: Run, messages: list[tuple[str, Any]], copies: int) -> None:
    """Each so many times, all in random order, to its queue alone, as a redelivery would come."""
    deliveries = messages * copies
    run.chance.shuffle(deliveries)
    publish_all(run, deliveries)


def wait_until_drained(run: Run) -> None:
    """Right after publishing the counts may still be those from before."""
    drained = lasting(lambda: is_drained(run), STALE_SECONDS)
    wait_until(drained, GATHERING_SECONDS, "Working on all of them")


def is_drained(run: Run) -> bool:
    return all(
        not queue.get("messages", 0)
        for queue in run.site.queues()
        if queue["name"].split(".")[0] in SERVICES
    )


DRILL = Drill(
    name="repeated-deliveries",
    promises=(3, 4),
    promise="One invoice and one reservation for an order, in any sequence of messages",
    inject=deliver_again_and_again,
    orders=60,
    traffic_seconds=4,
    goes_on=False,
)
