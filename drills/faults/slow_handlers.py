"""Handlers that take longer than they may, behind all the messages that a worker takes at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from drills.drill import Drill
from drills.faults.planted import plant_faults, remove_faults
from drills.run import Run
from drills.violation import Kind, Violation

#: Longer than the cluster's `consumer_timeout` of 140 s.
SLOW_SECONDS = (150, 165)
#: A worker would need hours for what it takes at once.
SHARE_OF_USERS = 6
SERVICES = ("inventory", "billing")

TIMED_OUT = re.compile(
    "consumer_timeout|PRECONDITION_FAILED|acknowledgement on channel|has ended a consumer"
)
GAVE_BACK = re.compile(r"Gave (\d+) messages back to RabbitMQ")


def start_workers_anew(run: Run) -> None:
    """A worker that has seen how long its handlers take holds fewer messages: none would wait."""
    workers = run.site.pipeline.workers(slow_service(run))
    run.site.pipeline.stop(workers)
    run.site.pipeline.start(workers)
    run.note_processes()


def slow_service(run: Run) -> str:
    return SERVICES[run.seed % len(SERVICES)]


def slow_down(run: Run) -> None:
    service = slow_service(run)
    workers = run.site.pipeline.workers(service)
    before = {name: len(log(run, name)) for name in workers}
    plant_faults(run, service, kind="slow", share_of_users=SHARE_OF_USERS)
    with run.faults.during(f"slow handlers of {service}"):
        run.wait(*SLOW_SECONDS)
        remove_faults(run)
    logs = {name: log(run, name)[size:] for name, size in before.items()}
    for name, text in logs.items():
        if TIMED_OUT.search(text):
            what = f"RabbitMQ closed a channel of {name} over a message that it held"
            run.seen.append(Violation(Kind.RECOVERY, what))
    given_back = sum(int(count) for text in logs.values() for count in GAVE_BACK.findall(text))
    run.measured["messages given back"] = given_back
    if not given_back:
        run.seen.append(Violation(Kind.RECOVERY, "no message waited for long"))


def log(run: Run, name: str) -> str:
    return run.site.pipeline[name].log.read_text(errors="replace")


def nobody_ended(run: Run) -> Iterator[Violation]:
    """A worker replaces the children that its time limits kill, and does not end."""
    yield from run.deaths()


DRILL = Drill(
    name="slow-handlers",
    promises=(1, 3, 8),
    promise="Slow handlers cost no message and no worker, however many wait behind them",
    prepare=start_workers_anew,
    inject=slow_down,
    check=nobody_ended,
    orders=100,
    traffic_seconds=25,
)
