"""Every worker is restarted again and again while messages wait, as by many deployments."""

from __future__ import annotations

from drills.cluster.pipeline import SERVICES
from drills.drill import Drill
from drills.fault import Missed
from drills.run import Run
from drills.traffic.peek import waiting
from drills.violation import Kind, Violation

RESTARTS = 30
#: Restarts at which nothing was given back prove nothing, and are made again; so many at most.
MOST_RESTARTS = 60
#: What a process manager grants before it kills, e.g. `docker stop` by default.
GRACE_SECONDS = 10.0
#: A worker has taken messages by then, and has not finished them.
MOST_WORKING_SECONDS = 0.4
#: RabbitMQ's own count of what it took back.
RETURNS_HEADER = "x-delivery-count"
#: Messages of each queue.
MOST_READ = 100


def restart_again_and_again(run: Run) -> None:
    workers = [name for service in SERVICES for name in run.site.pipeline.workers(service)]
    run.wait(0.5, 1)
    restarts = 0
    for _ in range(MOST_RESTARTS):
        try:
            restart(run, workers)
            restarts += 1
        except Missed:
            continue
        if restarts == RESTARTS:
            break
    else:
        run.seen.append(Violation(Kind.RECOVERY, f"only {restarts} restarts met a backlog"))


def restart(run: Run, workers: list[str]) -> None:
    """SIGTERM for all, and start them again. Raises Missed: none of them had to give back any."""
    pipeline = run.site.pipeline
    try:
        with run.faults.during("SIGTERM of every worker"):
            for name, exit_code in pipeline.stop(workers, GRACE_SECONDS).items():
                if exit_code != 0:
                    told = f"{name}, asked to stop, ended {exit_code}"
                    run.seen.append(Violation(Kind.RECOVERY, told))
            returns = returned(run)
            if not returns:
                raise Missed
    finally:
        pipeline.start(workers)
        run.wait(0, MOST_WORKING_SECONDS)
    most = run.measured.get("most returns of one message", 0)
    run.measured["most returns of one message"] = max(most, *returns)


def returned(run: Run) -> list[int]:
    """How often each of the next messages was given back, without those that never were.

    RabbitMQ puts them first. Reading one gives it back once more.
    """
    counts = [
        int((each.headers or {}).get(RETURNS_HEADER, 0))
        for service in SERVICES
        for each in waiting(run, service, MOST_READ)
    ]
    return [count for count in counts if count]


DRILL = Drill(
    name="rolling-restarts",
    promises=(3, 6, 8),
    promise="However often workers are stopped, each message is handled, and once",
    inject=restart_again_and_again,
    # What was given back runs alone, message by message: a backlog, and not a pile for an hour.
    orders=300,
    traffic_seconds=60,
)
