"""One service stands still while orders come, and then works off what waits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from drills.drill import Drill
from drills.invariant import RECORDS
from drills.memory import Memory
from drills.recovery import when
from drills.replica_set import Document
from drills.run import Run
from drills.violation import Kind, Violation
from drills.waiting import wait_until

#: Under load before anything is measured, so that pools, caches and allocators are filled.
WARM_SECONDS = 10
#: How much longer an order may wait for the other service than before, when the last one comes.
BEHIND_SECONDS = 5.0
DRAIN_SECONDS = 600
LOOK_SECONDS = 0.5
#: A process of the pipeline, with its children, may grow by so much, whatever the backlog: a worker
#: that had drained 8,000 orders had 6 MiB more than one without a backlog.
GROWTH_MIB = 40
#: A node of RabbitMQ holds the backlog: 91 MiB more with 21,000 messages.
NODE_GROWTH_MIB = 150


def stop_a_service(run: Run) -> None:
    stopped, other = run.chance.sample([*RECORDS], 2)
    with Memory(run) as memory:
        time.sleep(WARM_SECONDS)
        warm = memory.most_mib()
        stop_and_drain(run, stopped, other)
    run.seen += growth(run, warm, memory.most_mib())


def stop_and_drain(run: Run, stopped: str, other: str) -> None:
    pipeline = run.site.pipeline
    workers = pipeline.workers(stopped)
    before = longest_wait_seconds(run, other)
    with run.faults.during(f"{stopped} stopped"):
        pipeline.stop(workers)
        placed_before = placed(run)
        run.traffic.wait()
        run.measured["orders that came meanwhile"] = placed(run) - placed_before
        after = longest_wait_seconds(run, other)
        placed_in = time.time() - run.traffic.started_at
        run.measured["messages waiting"] = backlog(run, stopped)
        pipeline.start(workers)
    placed_orders = placed(run)
    drained_in = wait_until(
        lambda: done(run, stopped) >= placed_orders, DRAIN_SECONDS, "Draining", LOOK_SECONDS
    )
    run.measured |= {
        f"{other}: longest wait before in s": before,
        f"{other}: longest wait at the end in s": after,
        "orders placed in s": round(placed_in, 1),
        "drained in s": round(drained_in, 1),
    }
    run.seen += too_slow(other, before, after, placed_in, drained_in)


def too_slow(
    other: str, before: float, after: float, placed_in: float, drained_in: float
) -> Iterator[Violation]:
    if after > before + BEHIND_SECONDS:
        waits = f"orders waited {after:.1f} s for {other}, and {before:.1f} s before the stop"
        yield Violation(Kind.RECOVERY, waits)
    if drained_in > placed_in:
        slower = f"the backlog took {drained_in:.0f} s, and the orders {placed_in:.0f} s to come"
        yield Violation(Kind.RECOVERY, slower)


def longest_wait_seconds(run: Run, service: str) -> float:
    """For how long the oldest order that the service has not answered has been waiting."""
    undone: Document = {**_of(run), f"ledger.{service}.state": {"$in": ["pending", None]}}
    oldest = run.site.database["orders"].find_one(undone, sort=[("created_at", 1)])
    return round(time.time() - when(oldest), 2) if oldest else 0.0


def growth(run: Run, warm: Mapping[str, float], most: Mapping[str, float]) -> Iterator[Violation]:
    """Whoever has grown with the backlog, or while it drained."""
    for name in warm:
        grown = most[name] - warm[name]
        run.measured[f"{name} grew by MiB"] = round(grown, 1)
        limit = GROWTH_MIB if name in run.site.pipeline.processes else NODE_GROWTH_MIB
        if grown > limit:
            yield Violation(Kind.RECOVERY, f"{name} has grown by {grown:.0f} MiB with the backlog")


def placed(run: Run) -> int:
    return run.site.database["orders"].count_documents(_of(run))


def done(run: Run, service: str) -> int:
    """Orders of the run that the service has answered, as the orders' own ledger has it."""
    answered = {f"ledger.{service}.state": {"$nin": ["pending", None]}}
    return run.site.database["orders"].count_documents({**_of(run), **answered})


def _of(run: Run) -> Document:
    return {"user_id": {"$gte": run.users[0], "$lte": run.users[-1]}}


def backlog(run: Run, service: str) -> int:
    queues = {queue["name"]: queue for queue in run.site.queues()}
    return int(queues[service].get("messages", 0))


DRILL = Drill(
    name="stopped-service",
    promises=(5,),
    promise="One service's failure holds up no other, and costs no memory",
    inject=stop_a_service,
    # One in twenty is no order, and some come before the stop.
    orders=23_000,
    # At a pace that two cores keep up with: else whoever is slowest falls behind, stopped or not.
    traffic_seconds=192,
    goes_on=False,
)
