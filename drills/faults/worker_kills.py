"""`kill -9` of workers: of their pool children, and before and after their commit."""

from __future__ import annotations

from contextlib import suppress

import psutil

from drills.drill import Drill
from drills.pipeline import SERVICES
from drills.proxy import Direction
from drills.run import Run
from drills.waiting import TookTooLong, wait_until

CHILD_KILLS = 6
#: How long a commit is held; the worker is dead by then.
HELD_SECONDS = 1.0
#: What a service writes when it commits.
EFFECTS = {"inventory": "reservations", "billing": "invoices"}


def kill_workers(run: Run) -> None:
    run.wait(0.5, 2)
    for _ in range(CHILD_KILLS):
        kill_a_child(run)
        run.wait(0.05, 0.6)
    first, second = run.chance.sample([*EFFECTS], 2)
    kill_before_commit(run, run.chance.choice(run.site.pipeline.workers(first)))
    run.wait(0, 1)
    kill_after_commit(run, second, run.chance.choice(run.site.pipeline.workers(second)))


def kill_a_child(run: Run) -> None:
    """One of the processes in which a handler may be at work."""
    worker = run.chance.choice(run.site.pipeline.workers(run.chance.choice(SERVICES)))
    for child in run.site.pipeline.pool_children(worker)[:1]:
        run.faults.now(f"kill -9 of a child of {worker}")
        with suppress(psutil.NoSuchProcess):
            child.kill()


def kill_before_commit(run: Run, worker: str) -> None:
    """MongoDB holds every commit; in that moment the worker dies with its transaction open."""
    site = run.site
    with run.faults.during(f"kill -9 of {worker} before its commit"):
        site.replica_set.hold_commands(["commitTransaction"], HELD_SECONDS)
        run.wait(0.3, HELD_SECONDS - 0.2)
        run.kill(worker)
        site.replica_set.hold_nothing()
        site.pipeline[worker].start()


def kill_after_commit(run: Run, service: str, worker: str) -> None:
    """What the worker sends to RabbitMQ is held: it has committed, and can ack nothing."""
    site = run.site
    records = site.database[EFFECTS[service]]
    with run.faults.during(f"kill -9 of {worker} after its commit"):
        for proxy in site.amqp_proxies[worker]:
            proxy.hold([Direction.TO_SERVER])
        stored = records.estimated_document_count()
        with suppress(TookTooLong):
            wait_until(lambda: records.estimated_document_count() > stored, 2, pause=0.02)
        run.wait(0, 0.3)
        run.kill(worker)
        for proxy in site.amqp_proxies[worker]:
            proxy.reset()
            proxy.restore()
        site.pipeline[worker].start()


DRILL = Drill(
    name="worker-kills",
    promises=(1, 3),
    promise="At most one invoice and one reservation for an order, however often it is delivered",
    inject=kill_workers,
)
