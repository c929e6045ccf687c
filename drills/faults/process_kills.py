"""`kill -9` of web, relay and archiver, each between its two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from drills.checks.invariant import RECORDS
from drills.cluster.proxy import Direction, Proxy
from drills.cluster.replica_set import Document
from drills.drill import Drill
from drills.faults.moment import meet, until_met
from drills.run import Run
from drills.traffic import external_publishers
from drills.traffic.peek import waiting
from drills.traffic.tap import Tap, tapped

#: How long MongoDB holds what the relay writes; the relay is dead by then.
HELD_SECONDS = 4.0
MOMENT_SECONDS = 8
AFTERWARDS_SECONDS = 5
BAD_MESSAGES = 5


def kill_processes(run: Run) -> None:
    run.wait(0.5, 1.5)
    kills = [kill_web, kill_relay, kill_archiver]
    run.chance.shuffle(kills)
    for kill in kills:
        until_met(run, partial(kill, run))
        run.wait(0, 1)


def kill_web(run: Run) -> None:
    """Between saving an order and its event being published: the relay is frozen meanwhile."""
    site = run.site
    with run.faults.during("kill -9 of web between save and publish"):
        site.pipeline["relay"].freeze()
        try:
            saved = partial(unpublished_since, run, datetime.now(UTC))
            meet(saved, MOMENT_SECONDS, "An order saved while the relay was frozen")
            run.wait(0, 0.3)
            run.kill("web")
        finally:
            site.pipeline["relay"].thaw()
        site.pipeline.start(["web"])


def unpublished_since(run: Run, moment: datetime) -> Document | None:
    """An order that was placed after this moment and is still in the outbox."""
    placed = {"pending_events.type": "order.placed", "created_at": {"$gt": moment}}
    return run.site.database["orders"].find_one(placed)


def kill_relay(run: Run) -> None:
    """Between publishing events and taking them out of the outbox, which MongoDB never does."""
    replica_set = run.site.replica_set
    what = "kill -9 of the relay between publish and mark"
    with run.faults.during(what), tapped(run, "order_events") as tap:
        replica_set.hold_commands(["update"], HELD_SECONDS, "relay")
        try:
            marking = partial(replica_set.held, "update", "relay")
            meet(marking, MOMENT_SECONDS, "A mark of the relay")
            run.kill("relay")
            replica_set.drop(marking())
            meet(unmarked(run, tap), AFTERWARDS_SECONDS, "A published event in the outbox")
        finally:
            replica_set.hold_nothing()
            run.site.pipeline["relay"].start()


def unmarked(run: Run, tap: Tap) -> Callable[[], set[str]]:
    """Asks which events were published and are still in the outbox."""
    in_outbox = partial(run.site.database["orders"].distinct, "pending_events.id")
    return lambda: set(tap.counts()) & set(in_outbox())


def kill_archiver(run: Run) -> None:
    """Between storing a failed message and acking its dead letter."""
    site = run.site
    proxies = site.amqp_proxies["archiver"]
    with run.faults.during("kill -9 of the archiver between store and ack"):
        for proxy in proxies:
            proxy.hold([Direction.TO_SERVER])
        try:
            bad = external_publishers.publish_nonsense(run, BAD_MESSAGES)
            meet(partial(stored, run, bad), MOMENT_SECONDS, "A failed message")
            run.kill("archiver")
            restore(proxies)
            back = partial(stored_and_waiting, run, bad)
            meet(back, AFTERWARDS_SECONDS, "A stored dead letter, back in its queue,")
        finally:
            restore(proxies)
            site.pipeline["archiver"].start()


def restore(proxies: Iterable[Proxy]) -> None:
    """Lose what they hold, and let everything pass again."""
    for proxy in proxies:
        proxy.reset()
        proxy.restore()


def stored(run: Run, message_ids: list[str]) -> set[tuple[str, str]]:
    """(service, message id) of those that are failed messages."""
    found = run.site.database["failed_messages"].find({"message_id": {"$in": message_ids}})
    return {(failed["service"], failed["message_id"]) for failed in found}


def stored_and_waiting(run: Run, message_ids: list[str]) -> set[tuple[str, str]]:
    """Those of them that are failed messages and still wait for the archiver."""
    return stored(run, message_ids) & {
        (service, each.properties["message_id"])
        for service in RECORDS
        for each in waiting(run, f"{service}.dlq")
    }


DRILL = Drill(
    name="process-kills",
    promises=(1, 2, 6),
    promise="An order answered with 201 is never lost, and every failure is visible once",
    inject=kill_processes,
)
