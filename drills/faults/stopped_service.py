"""One service stands still while orders come, and then works off what waits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from bson import ObjectId

from drills.checks.invariant import RECORDS
from drills.checks.memory import Memory
from drills.checks.recovery import when
from drills.cluster.replica_set import Document
from drills.drill import Drill
from drills.run import Run
from drills.traffic.placed import of_users
from drills.violation import Kind, Violation
from drills.waiting import wait_until

#: Under load before anything is measured, so that pools, caches and allocators are filled.
WARM_SECONDS = 10
#: How much longer an order may wait for the other service's record of it than one before the stop.
BEHIND_SECONDS = 5.0
DRAIN_SECONDS = 600
POLL_SECONDS = 0.5
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
    with run.faults.during(f"{stopped} stopped"):
        stopped_at = time.time()
        pipeline.stop(workers)
        run.traffic.wait()
        placed_in = time.time() - run.traffic.started_at
        run.measured["messages waiting"] = backlog(run, stopped)
        pipeline.start(workers)
    placed = orders_of(run)
    drained_in = wait_until(
        lambda: done(run, stopped) >= len(placed), DRAIN_SECONDS, "Draining", POLL_SECONDS
    )
    done_at = done_at_seconds(run, other)
    # One that is not done yet is waiting still.
    waits = {id_: done_at.get(id_, time.time()) - placed_at for id_, placed_at in placed.items()}
    before = {id_ for id_, at in done_at.items() if at <= stopped_at}
    longest_before = max((waits[id_] for id_ in waits.keys() & before), default=0.0)
    longest = max((waits[id_] for id_ in waits.keys() - before), default=0.0)
    run.measured |= {
        "orders that came meanwhile": sum(at > stopped_at for at in placed.values()),
        f"{other}: longest wait of what was done before in s": round(longest_before, 2),
        f"{other}: longest wait of what was done since in s": round(longest, 2),
        "orders placed in s": round(placed_in, 1),
        "drained in s": round(drained_in, 1),
    }
    run.seen += too_slow(other, longest_before, longest, placed_in, drained_in)


def too_slow(
    other: str, before: float, longest: float, placed_in: float, drained_in: float
) -> Iterator[Violation]:
    if longest > before + BEHIND_SECONDS:
        waits = f"an order waited {longest:.1f} s for {other}, and {before:.1f} s before the stop"
        yield Violation(Kind.RECOVERY, waits)
    if drained_in > placed_in:
        slower = f"the backlog took {drained_in:.0f} s, and the orders {placed_in:.0f} s to come"
        yield Violation(Kind.RECOVERY, slower)


def orders_of(run: Run) -> dict[str, float]:
    """When each order of the run was placed, in seconds since 1970."""
    found = run.site.database["orders"].find(of_users(run.users), {"created_at": True})
    return {str(order["_id"]): when(order) for order in found}


def done_at_seconds(run: Run, service: str) -> dict[str, float]:
    """When the service recorded what it did, by order, in seconds since 1970."""
    found = run.site.database[RECORDS[service]].find(of_run(run), {"created_at": True})
    return {record["_id"]: when(record) for record in found}


def growth(run: Run, warm: Mapping[str, float], most: Mapping[str, float]) -> Iterator[Violation]:
    """Whoever has grown with the backlog, or while it drained."""
    for name in warm:
        grown = most[name] - warm[name]
        run.measured[f"{name} grew by MiB"] = round(grown, 1)
        limit = GROWTH_MIB if name in run.site.pipeline.processes else NODE_GROWTH_MIB
        if grown > limit:
            yield Violation(Kind.RECOVERY, f"{name} has grown by {grown:.0f} MiB with the backlog")


def done(run: Run, service: str) -> int:
    """Orders of the run that the service has recorded something for."""
    return run.site.database[RECORDS[service]].count_documents(of_run(run))


def of_run(run: Run) -> Document:
    """Finds records of the run's orders: they have the order's id, which begins with its time."""
    return {"_id": {"$gte": str(ObjectId.from_datetime(run.since))}}


def backlog(run: Run, service: str) -> int:
    queues = {queue["name"]: queue for queue in run.site.queues()}
    return int(queues[service].get("messages", 0))


DRILL = Drill(
    name="stopped-service",
    promises=(5,),
    promise="One service's failure holds up no other, and costs no memory",
    inject=stop_a_service,
    # One in twenty is not an order, and some come before the stop.
    orders=23_400,
    # At a pace that two cores keep up with: else whoever is slowest falls behind, stopped or not.
    traffic_seconds=196,
    goes_on=False,
)
