"""`kill -9` of workers: before and after their commit, and of their pool children."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from drills.drill import Drill
from drills.proxy import Direction
from drills.run import Run
from drills.waiting import TookTooLong, wait_until

WORKING_SERVICES = ("inventory", "billing")
#: How long a commit is held; the worker is dead by then.
HELD_SECONDS = 1.0
CHILD_KILLS = 8
#: What each service writes when it commits.
EFFECTS = {"inventory": "reservations", "billing": "invoices"}


def kill_workers(run: Run) -> None:
    run.wait(0.5, 2)
    for service in run.chance.sample(WORKING_SERVICES, 2):
        before_commit(run, run.chance.choice(run.site.pipeline.workers(service)))
        run.wait(0, 1)
        after_commit(run, service, run.chance.choice(run.site.pipeline.workers(service)))
    kill_children(run)


def before_commit(run: Run, worker: str) -> None:
    """MongoDB holds every commit; in that moment the worker dies with its transaction open."""
    site = run.site
    with run.faults.during(f"kill -9 of {worker} before its commit"):
        site.replica_set.fail_command(["commitTransaction"], HELD_SECONDS)
        run.wait(0.3, HELD_SECONDS - 0.2)
        site.pipeline.kill_main_process(worker)
        site.replica_set.stop_failing()
        site.pipeline[worker].start()


def after_commit(run: Run, service: str, worker: str) -> None:
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
        site.pipeline.kill_main_process(worker)
        for proxy in site.amqp_proxies[worker]:
            proxy.reset()
            proxy.restore()
        site.pipeline[worker].start()


def kill_children(run: Run) -> None:
    """Again and again a process in which a handler may be at work."""
    for _ in range(CHILD_KILLS):
        service = run.chance.choice(("inventory", "billing", "orders"))
        worker = run.chance.choice(run.site.pipeline.workers(service))
        children = run.site.pipeline.pool_children(worker)
        if children:
            with suppress(psutil.NoSuchProcess):
                run.chance.choice(children).kill()
            run.faults.now(f"kill -9 of a child of {worker}")
        time.sleep(run.chance.uniform(0.05, 0.6))


DRILL = Drill(
    name="worker-kills",
    promise="At most one invoice and one reservation for an order; no single death stops a service",
    inject=kill_workers,
)
