"""`kill -9` of workers: of their pool children, and before and after their commit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psutil

from drills.cluster.pipeline import SERVICES
from drills.cluster.proxy import Direction
from drills.drill import Drill
from drills.faults.moment import meet, until_met
from drills.run import Run
from drills.traffic.peek import waiting

CHILD_KILLS = 6
#: How long a commit is held; the worker is dead by then.
HELD_SECONDS = 4.0
MOMENT_SECONDS = 8
REQUEUED_SECONDS = 5
#: What a service writes when it commits.
EFFECTS = {"inventory": "reservations", "billing": "invoices"}


def kill_workers(run: Run) -> None:
    run.wait(0.5, 2)
    for _ in range(CHILD_KILLS):
        kill_a_child(run)
        run.wait(0.05, 0.6)
    first, second = run.chance.sample([*EFFECTS], 2)
    until_met(run, partial(kill_before_commit, run, one_worker(run, first)))
    run.wait(0, 1)
    until_met(run, partial(kill_after_commit, run, second, one_worker(run, second)))


def one_worker(run: Run, service: str) -> str:
    return run.chance.choice(run.site.pipeline.workers(service))


def kill_a_child(run: Run) -> None:
    """One of the processes in which a handler may be at work."""
    worker = one_worker(run, run.chance.choice(SERVICES))
    if children := run.site.pipeline.pool_children(worker):
        run.faults.now(f"kill -9 of a child of {worker}")
        with suppress(psutil.NoSuchProcess):
            run.chance.choice(children).kill()


def kill_before_commit(run: Run, worker: str) -> None:
    """MongoDB has the worker's commit before it and holds it; in that moment the worker dies.

    The commit then takes place without it, or never, and MongoDB ends the transaction itself.
    """
    site = run.site
    with run.faults.during(f"kill -9 of {worker} before its commit"):
        site.replica_set.hold_commands(["commitTransaction"], HELD_SECONDS, worker)
        try:
            held = partial(site.replica_set.held, "commitTransaction", worker)
            meet(held, MOMENT_SECONDS, f"A commit of {worker}")
            run.kill(worker)
            if run.seed % 2 == 0:
                site.replica_set.drop(held())
        finally:
            site.replica_set.hold_nothing()
        site.pipeline[worker].start()


def kill_after_commit(run: Run, service: str, worker: str) -> None:
    """What the worker sends to RabbitMQ is held: it has committed, and can ack nothing.

    The service's other workers are stopped, so that every new record is of this one.
    """
    site = run.site
    others = [name for name in site.pipeline.workers(service) if name != worker]
    proxies = site.amqp_proxies[worker]
    site.pipeline.stop(others)
    try:
        with run.faults.during(f"kill -9 of {worker} after its commit"):
            for proxy in proxies:
                proxy.hold([Direction.TO_SERVER])
            committed = since_now(run, service)
            meet(committed, MOMENT_SECONDS, f"A commit of {worker}")
            run.wait(0, 0.3)
            run.kill(worker)
            for proxy in proxies:
                proxy.reset()
                proxy.restore()
            back = partial(given_back, run, service, committed)
            meet(back, REQUEUED_SECONDS, f"A committed message of {worker}, back in its queue,")
    finally:
        for proxy in proxies:
            proxy.restore()
        site.pipeline.start([worker, *others])


def since_now(run: Run, service: str) -> Callable[[], set[str]]:
    """Asks which orders the service has records of that it has not at this moment."""
    records = run.site.database[EFFECTS[service]]
    before = set(records.distinct("_id"))
    return lambda: set(records.distinct("_id")) - before


def given_back(run: Run, service: str, committed: Callable[[], set[str]]) -> set[str]:
    """The orders that were committed and whose messages wait, as nobody has acked them."""
    back = {each.properties.get("correlation_id") for each in waiting(run, service)}
    return back & committed()


DRILL = Drill(
    name="worker-kills",
    promises=(1, 3),
    promise="At most one invoice and one reservation for an order, however often it is delivered",
    inject=kill_workers,
)
