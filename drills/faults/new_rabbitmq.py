"""The pipeline moves to a new RabbitMQ beside the old one, while orders flow.

So it gets from a version to one that cannot read its data: docs/upgrading.md has the steps, and an
operator does them here. Nothing is copied. Orders are accepted all the time, as that needs MongoDB
alone: their events wait in the outbox until the old RabbitMQ is empty.
"""

from __future__ import annotations

import time

from drills.cluster.new_rabbitmq import new_rabbitmq
from drills.cluster.rabbitmq_cluster import STALE_SECONDS
from drills.drill import Drill
from drills.run import Run
from drills.waiting import lasting, wait_until

#: Longer than the last retry waits, and what the services do then takes.
EMPTY_SECONDS = 120
#: Web publishes what staff replay, the scheduler what was lost.
PUBLISHERS = ("relay", "scheduler")


def move(run: Run) -> None:
    run.wait(2, 5)
    site = run.site
    old = site.rabbitmq
    new = site.until_its_end.enter_context(new_rabbitmq(site.folder / "new-rabbitmq"))
    run.measured["version of the new RabbitMQ"] = version(new.management.get("/api/overview"))
    site.move_to(new)
    site.prepare_rabbitmq()
    began_at = time.monotonic()
    with run.faults.during("no relay and no scheduler, until the old RabbitMQ is empty"):
        site.pipeline.stop(["web", *PUBLISHERS])
        site.pipeline.start(["web"])
        wait_until(
            lasting(lambda: site.waiting_in(old) == 0, STALE_SECONDS),
            EMPTY_SECONDS,
            "Emptying the old RabbitMQ",
        )
    run.measured["seconds until the old RabbitMQ was empty"] = round(time.monotonic() - began_at, 1)
    consumers = [name for name in site.pipeline.processes if name not in ("web", *PUBLISHERS)]
    run.chance.shuffle(consumers)
    with run.faults.during("each other process goes to the new one"):
        for name in (*consumers, *PUBLISHERS):
            site.pipeline.stop([name])
            site.pipeline.start([name])


def version(overview: dict[str, str]) -> float:
    """3.1 for 3.10.8."""
    major, minor, *_ = overview["rabbitmq_version"].split(".")
    return float(f"{major}.{minor}")


DRILL = Drill(
    name="new-rabbitmq",
    promises=(1, 3),
    promise="The pipeline moves to a new RabbitMQ, and nothing is lost or done twice",
    inject=move,
    orders=600,
    traffic_seconds=60,
    own_site=True,
)
