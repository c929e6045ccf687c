"""One service stands still while orders come, and then works off what waits."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from drills.drill import Drill
from drills.invariant import RECORDS, Kind, Violation
from drills.run import Run
from drills.waiting import TookTooLong, wait_until

#: How far the other service may be behind when the last order is placed.
BEHIND_SECONDS = 30
DRAIN_SECONDS = 600
MEBIBYTE = 1024 * 1024
#: A process may grow by so much, whatever the backlog.
GROWTH_MIB = 150


def stop_a_service(run: Run) -> None:
    pipeline = run.site.pipeline
    stopped, other = run.chance.sample([*RECORDS], 2)
    workers = pipeline.workers(stopped)
    run.wait(0.5, 1)
    with run.faults.during(f"{stopped} stopped"):
        pipeline.stop(workers)
        before = memory_mib(run)
        run.traffic.wait()
        run.measured["orders placed in s"] = placed_in = time.time() - run.traffic.started_at
        the_other_is_unaffected(run, other)
        run.seen += growth(before, memory_mib(run))
        run.measured["messages waiting"] = backlog(run, stopped)
        pipeline.start(workers)
    drained_in = wait_until(lambda: done(run, stopped) >= placed(run), DRAIN_SECONDS, "Draining")
    run.measured["drained in s"] = drained_in
    if drained_in > placed_in:
        slower = f"the backlog took {drained_in:.0f} s, and the orders {placed_in:.0f} s to come"
        run.seen.append(Violation(Kind.RECOVERY, slower))


def the_other_is_unaffected(run: Run, other: str) -> None:
    try:
        behind = wait_until(lambda: done(run, other) >= placed(run), BEHIND_SECONDS)
        run.measured[f"{other} behind by s"] = behind
    except TookTooLong:
        missing = placed(run) - done(run, other)
        run.seen.append(Violation(Kind.RECOVERY, f"{other} was {missing} orders behind"))


def memory_mib(run: Run) -> dict[str, float]:
    """Of each process with its children, and of each node of RabbitMQ."""
    pids = run.site.pipeline.pids() | {
        node.node_name: node.process.pid for node in run.site.rabbitmq.nodes
    }
    return {name: resident_mib(pid) for name, pid in pids.items()}


def resident_mib(pid: int) -> float:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(float(each.memory_info().rss) for each in family) / MEBIBYTE


def growth(before: dict[str, float], after: dict[str, float]) -> Iterator[Violation]:
    for name in before.keys() & after.keys():
        grown = after[name] - before[name]
        if grown > GROWTH_MIB:
            yield Violation(Kind.RECOVERY, f"{name} has grown by {grown:.0f} MiB with the backlog")


def placed(run: Run) -> int:
    return run.site.database["orders"].count_documents(_of(run))


def done(run: Run, service: str) -> int:
    """Orders of the run that the service has answered, as the orders' own ledger has it."""
    answered = {f"ledger.{service}.state": {"$nin": ["pending", None]}}
    return run.site.database["orders"].count_documents({**_of(run), **answered})


def _of(run: Run) -> dict[str, object]:
    return {"user_id": {"$gte": run.users[0], "$lte": run.users[-1]}}


def backlog(run: Run, service: str) -> int:
    queues = {queue["name"]: queue for queue in run.site.queues()}
    return int(queues[service].get("messages", 0))


DRILL = Drill(
    name="stopped-service",
    promises=(5,),
    promise="One service's failure holds up no other, and costs no memory",
    inject=stop_a_service,
    orders=20_000,
    traffic_seconds=60,
)
