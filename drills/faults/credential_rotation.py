"""RabbitMQ refuses the pipeline its login, or what it wants to do, until somebody puts it right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from drills.cluster.pipeline import SERVICES
from drills.drill import Drill
from drills.run import Run
from drills.violation import Kind, Violation
from drills.waiting import wait_until

REFUSED_SECONDS = (6, 12)
#: Until each process that was refused has said so.
TOLD_SECONDS = 60
TELLS = re.compile("refuses the login|access to .* refused")
#: The end of the relay's log once it publishes again.
GOES_ON = "publishing again.\n"
#: A worker has several processes of its own, and each is refused several things.
MOST_TOLD = 12
#: The scheduler has less to ask of RabbitMQ, and web only where somebody asks web.
CONNECTED = ("relay", *SERVICES, "archiver")


def refuse(run: Run) -> None:
    run.wait(1, 3)
    variants = (rotate_password, take_permissions, delete_user, start_refused)
    variants[run.seed % len(variants)](run)


def rotate_password(run: Run) -> None:
    """Another password, and every connection is closed, as by a restart of RabbitMQ."""
    with refused(run, "another password", connected(run)):
        run.site.login.set_password(run.site.management, "another")
        close_connections(run)


def take_permissions(run: Run) -> None:
    """To publish alone, while messages still come; then all of them.

    A channel remembers for what it has had a permission, so every connection is closed.
    """
    with refused(run, "no permission to publish", ["relay"]):
        run.site.login.permit(run.site.management, ".*", "^$", ".*")
        close_connections(run)
    # What is told already is not told again before all is well.
    wait_until(lambda: log(run, "relay").endswith(GOES_ON), TOLD_SECONDS, "The relay's recovery")
    with refused(run, "no permission at all", connected(run)):
        run.site.login.permit(run.site.management, "^$", "^$", "^$")
        close_connections(run)


def delete_user(run: Run) -> None:
    """RabbitMQ closes its connections by itself."""
    with refused(run, "no such user", connected(run)):
        run.site.login.delete(run.site.management)


def start_refused(run: Run) -> None:
    """Processes start with a login that RabbitMQ does not have yet."""
    workers = [run.chance.choice(run.site.pipeline.workers(service)) for service in SERVICES]
    started = ["relay", "archiver", *workers]
    with refused(run, f"another password, kill -9 and start of {', '.join(started)}", started):
        run.site.login.set_password(run.site.management, "another")
        for name in started:
            run.site.pipeline[name].kill()
            run.site.pipeline[name].start()


@contextmanager
def refused(run: Run, what: str, tellers: list[str]) -> Iterator[None]:
    """What the block revokes is granted again at its end, once each of the tellers has told."""
    before = {name: len(log(run, name)) for name in run.site.pipeline.processes}
    with run.faults.during(what):
        try:
            yield
            for name in tellers:
                wait_until(
                    partial(has_told, run, name, before[name]), TOLD_SECONDS, f"{name}'s word"
                )
            run.wait(*REFUSED_SECONDS)
        finally:
            run.site.login.make(run.site.management)
    for name, size in before.items():
        run.seen += told_once(name, log(run, name)[size:])


def has_told(run: Run, name: str, since: int) -> bool:
    return bool(TELLS.search(log(run, name)[since:]))


def told_once(name: str, log: str) -> Iterator[Violation]:
    """No traceback, and no line that comes again and again."""
    if "Traceback" in log:
        yield Violation(Kind.RECOVERY, f"{name} logged a traceback")
    if (count := len(TELLS.findall(log))) > MOST_TOLD:
        yield Violation(Kind.RECOVERY, f"{name} told {count} times that it was refused")


def close_connections(run: Run) -> None:
    """Those of the virtual host."""
    node = run.site.rabbitmq.living
    node.control("close_all_connections", "--vhost", run.site.name, "credential rotation")


def connected(run: Run) -> list[str]:
    return [name for name in run.site.pipeline.processes if name.startswith(CONNECTED)]


def log(run: Run, name: str) -> str:
    return run.site.pipeline[name].log.read_text(errors="replace")


def nobody_ended(run: Run) -> Iterator[Violation]:
    """Each process waits, but for those that the drill itself has killed."""
    if not any("kill -9" in fault.what for fault in run.faults):
        yield from run.deaths()


DRILL = Drill(
    name="credential-rotation",
    promises=(1, 8),
    promise="Once a refusal by RabbitMQ is corrected the system continues; its logs name it",
    inject=refuse,
    check=nobody_ended,
)
