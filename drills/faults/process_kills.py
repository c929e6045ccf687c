"""`kill -9` of web, relay and archiver, each between its two steps."""

from __future__ import annotations

from contextlib import suppress

from drills import strangers
from drills.drill import Drill
from drills.proxy import Direction
from drills.run import Run
from drills.site import IN_OUTBOX
from drills.waiting import TookTooLong, wait_until

#: How long MongoDB holds what the relay writes; the relay is dead by then.
HELD_SECONDS = 1.5
BAD_MESSAGES = 5


def kill_processes(run: Run) -> None:
    run.wait(0.5, 1.5)
    kills = [kill_web, kill_relay, kill_archiver]
    run.chance.shuffle(kills)
    for kill in kills:
        kill(run)
        run.wait(0, 1)


def kill_web(run: Run) -> None:
    """Between saving an order and its event being published: the relay is frozen meanwhile."""
    site = run.site
    with run.faults.during("kill -9 of web between save and publish"):
        site.pipeline["relay"].freeze()
        with suppress(TookTooLong):
            wait_until(lambda: site.database["orders"].find_one(IN_OUTBOX), 2, pause=0.02)
        run.wait(0, 0.3)
        run.kill("web")
        site.pipeline["relay"].thaw()
        site.pipeline.start(["web"])


def kill_relay(run: Run) -> None:
    """Between publishing events and taking them out of the outbox."""
    site = run.site
    with run.faults.during("kill -9 of the relay between publish and mark"):
        site.replica_set.hold_commands(["update"], HELD_SECONDS)
        run.wait(0.4, HELD_SECONDS - 0.3)
        run.kill("relay")
        site.replica_set.hold_nothing()
        site.pipeline["relay"].start()


def kill_archiver(run: Run) -> None:
    """Between storing a failed message and acking its dead letter."""
    site = run.site
    with run.faults.during("kill -9 of the archiver between store and ack"):
        for proxy in site.amqp_proxies["archiver"]:
            proxy.hold([Direction.TO_SERVER])
        bad = strangers.publish_nonsense(run, BAD_MESSAGES)
        stored = {"message_id": {"$in": bad}}
        with suppress(TookTooLong):
            wait_until(lambda: site.database["failed_messages"].find_one(stored), 5, pause=0.02)
        run.kill("archiver")
        for proxy in site.amqp_proxies["archiver"]:
            proxy.reset()
            proxy.restore()
        site.pipeline["archiver"].start()


DRILL = Drill(
    name="process-kills",
    promises=(1, 2, 6),
    promise="An order answered with 201 is never lost, and every failure is visible once",
    inject=kill_processes,
)
