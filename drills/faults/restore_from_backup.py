"""The database is lost, and an older copy restored; or the broker is, and its definitions restored.

What an operator does then is in docs/backup.md, and done here as it is written there.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import quote

from drills.cluster import backup
from drills.cluster.pipeline import SERVICES, kind_of
from drills.drill import Drill
from drills.run import Run, wait_for_quiet
from drills.traffic.tap import Tap, tapped
from drills.violation import Kind, Violation
from drills.waiting import TookTooLong

#: Longer than the command leaves alone what may be on its way.
SETTLED_SECONDS = 31
#: One run of the command may find what the one before it has set going.
RUNS = 6
NOTHING_LEFT = 0
#: All processes share a user of RabbitMQ, so nothing else proves what a service told.
BELIEVE = "--believe-answers"
#: The options that name the last number, with how these look.
NUMBERS = {"--last-invoice": r"\d{4}-\d+", "--last-credit-note": r"C\d{4}-\d+"}


def lose_and_restore(run: Run) -> None:
    run.wait(2, 4)
    variants = (lose_the_broker, lose_the_database)
    variants[run.seed % len(variants)](run)


def lose_the_database(run: Run) -> None:
    """Everything after the backup is gone but what waits in RabbitMQ."""
    site = run.site
    with tapped(run, "billing_events") as tap:
        copy = backup.take(site)
        run.wait(2, 4)
        with run.faults.during("the database is lost, and an older copy restored"):
            # So that at the loss answers wait, some of orders that the copy has …
            site.pipeline.stop(site.pipeline.workers("orders"))
            run.wait(1, 3)
            # … and messages of orders that it has not.
            site.pipeline.stop([name for name in site.pipeline.processes if is_worker(name)])
            run.wait(1, 3)
            site.pipeline.stop()
            run.lacking |= orders_without(run, copy.order_ids())
            backup.restore(site, copy)
            reconcile(run, BELIEVE, *last_numbers(tap))
            settle(run, tap.messages, BELIEVE)
        run.measured["orders after the backup"] = len(run.lacking)
        run.seen += numbers_given_twice(tap)


def lose_the_broker(run: Run) -> None:
    """Everything that waited in RabbitMQ is gone; its definitions come back from their backup."""
    site, vhost = run.site, quote(run.site.name)
    definitions = site.management.get(f"/api/definitions/{vhost}")
    run.wait(1, 3)
    with run.faults.during("the broker is lost, and its definitions restored"):
        site.pipeline.stop([name for name in site.pipeline.processes if is_worker(name)])
        run.wait(1, 3)
        site.pipeline.stop()
        waiting = sum(queue.get("messages", 0) for queue in site.queues())
        run.measured["messages lost with the broker"] = waiting
        site.management.delete(f"/api/vhosts/{vhost}")
        site.management.put(f"/api/vhosts/{vhost}")
        # The broker's own definitions have its users as well; those of one virtual host have none.
        site.login.make(site.management)
        site.management.post(f"/api/definitions/{vhost}", definitions)
        settle(run)


def is_worker(name: str) -> bool:
    return kind_of(name) in SERVICES


def settle(run: Run, meanwhile: Callable[[], object] = lambda: None, *arguments: str) -> None:
    """Run the command again until it finds nothing more; only then clients are let in."""
    pipeline = run.site.pipeline
    # The scheduler, too: in a drill nothing is overdue, and shipments wait for it to be published.
    pipeline.start([name for name in pipeline.processes if name != "web"])
    until_agreed(run, meanwhile, *arguments)
    pipeline.start(["web"])


def until_agreed(run: Run, meanwhile: Callable[[], object], *arguments: str) -> None:
    for _ in range(RUNS):
        at_rest(run, meanwhile)
        time.sleep(SETTLED_SECONDS)
        if is_agreed(run, *arguments):
            return
        reconcile(run, *arguments)
    run.seen.append(Violation(Kind.RECOVERY, f"{RUNS} runs of the command did not settle all"))


def at_rest(run: Run, meanwhile: Callable[[], object]) -> None:
    """`meanwhile` empties the queue of whoever listens."""
    try:
        wait_for_quiet(run, meanwhile)
    except TookTooLong as error:
        run.seen.append(Violation(Kind.RECOVERY, str(error)))


def is_agreed(run: Run, *arguments: str) -> bool:
    return run.site.manage("reconcile_restore", *arguments).returncode == NOTHING_LEFT


def reconcile(run: Run, *arguments: str) -> None:
    done = run.site.manage("reconcile_restore", "--apply", "--by", "drill", *arguments)
    with (run.folder / "reconcile_restore.log").open("a") as log:
        log.write(f"{done.stdout}\n-> {done.returncode}\n\n")
    if done.returncode not in (0, 1):
        run.seen.append(Violation(Kind.RECOVERY, f"reconcile_restore: {done.stdout[-500:]}"))


def orders_without(run: Run, known: set[str]) -> dict[str, int]:
    """The orders that the backup lacks, with their users."""
    stored = run.site.database["orders"].find({}, {"user_id": 1})
    return {str(each["_id"]): each["user_id"] for each in stored if str(each["_id"]) not in known}


def last_numbers(tap: Tap) -> list[str]:
    """The arguments that name the highest numbers that billing has told anybody of."""
    arguments = []
    for option, pattern in NUMBERS.items():
        given = (number for number, _ in told(tap) if re.fullmatch(pattern, number))
        if last := max(given, default=None):
            arguments += [option, last]
    return arguments


def numbers_given_twice(tap: Tap) -> Iterator[Violation]:
    """No two orders were told of the same number, before the loss and after it."""
    orders: dict[str, set[str]] = defaultdict(set)
    for number, order_id in told(tap):
        orders[number].add(order_id)
    for number, of_orders in orders.items():
        if len(of_orders) > 1:
            yield Violation(Kind.TWICE, f"number {number} was issued to {sorted(of_orders)}")


def told(tap: Tap) -> Iterator[tuple[str, str]]:
    """Each number of an invoice or a credit note with its order, as billing's events tell."""
    for message in tap.messages():
        body = json.loads(message.body)
        for number in (body.get("invoiceNumber"), body.get("creditNoteNumber")):
            if any(re.fullmatch(pattern, number or "") for pattern in NUMBERS.values()):
                yield number, body["orderId"]


def nothing_is_half_there(run: Run) -> Iterator[Violation]:
    """An order that could not be put back holds no stock, and nobody has to pay it."""
    database, ids = run.site.database, [*run.lacking]
    stored = {str(each["_id"]) for each in database["orders"].find({}, {"_id": 1})}
    gone = [order_id for order_id in ids if order_id not in stored]
    run.measured["orders not put back"] = len(gone)
    for records, state in (("reservations", "reserved"), ("invoices", "issued")):
        for left in database[records].find({"_id": {"$in": gone}, "state": state}):
            yield Violation(Kind.CONTRADICTION, f"{left['_id']} is gone, and {state} all the same")


DRILL = Drill(
    name="restore-from-backup",
    promises=(1, 3, 4),
    promise="After a restore one command settles the differences of database and broker",
    inject=lose_and_restore,
    check=nothing_is_half_there,
)
