"""Each process is asked to stop (SIGTERM) under load, and started again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from bson import ObjectId

from drills.checks.invariant import RECORDS
from drills.checks.recovery import when
from drills.cluster.pipeline import SERVICES, kind_of
from drills.cluster.replica_set import Document
from drills.drill import Drill
from drills.run import Run
from drills.traffic.external_publishers import publish_nonsense
from drills.traffic.history import Exchange
from drills.traffic.peek import waiting
from drills.traffic.placed import of_users
from drills.traffic.tap import tapped
from drills.violation import Kind, Violation
from drills.waiting import POLL_SECONDS

#: What a process manager grants before it kills, e.g. `docker stop` by default.
GRACE_SECONDS = 10.0
BAD_MESSAGES = 20
#: What the relay has published is an invoice by then.
INVOICED_SECONDS = 3
#: A request that a client began to send so long before SIGTERM has arrived by then.
ARRIVED_SECONDS = 0.1
WEB_STOPS = "SIGTERM of web"
#: Events that a single message causes. A cancellation and what it overtook may both cause
#: `inventory.released` and `billing.credited`.
CAUSED_ONCE = ("order.placed", "inventory.reserved", "billing.invoiced")


def stop_and_start(run: Run) -> None:
    run.wait(0.5, 1)
    workers = {service: run.site.pipeline.workers(service) for service in SERVICES}
    alone = [[run.chance.choice(names)] for names in workers.values()]
    stops = [*workers.values(), *alone, ["web"], ["relay"], ["archiver"], ["scheduler"]]
    run.chance.shuffle(stops)
    with tapped(run, *(f"{publisher}_events" for publisher in ("order", *RECORDS))) as tap:
        for names in stops:
            stop_and_start_these(run, names)
        counts = tap.counts()
    for message_id, count in counts.items():
        if count > 1 and message_id.startswith(CAUSED_ONCE):
            run.seen.append(Violation(Kind.TWICE, f"{message_id} was published {count} times"))


def stop_and_start_these(run: Run, names: list[str]) -> None:
    kind = kind_of(names[0])
    if kind == "archiver":
        publish_nonsense(run, BAD_MESSAGES)
    stop(run, kind if len(names) > 1 else names[0], names)
    run.seen += done_and_not_acked(run, kind)
    run.site.pipeline.start(names)
    run.wait(0.2, 1)


def stop(run: Run, what: str, names: Iterable[str]) -> None:
    with run.faults.during(f"SIGTERM of {what}"):
        started = time.monotonic()
        exit_codes = run.site.pipeline.stop(names, GRACE_SECONDS)
        run.measured[f"{what} stopped in s"] = round(time.monotonic() - started, 2)
    for name, exit_code in exit_codes.items():
        if exit_code != 0:
            run.seen.append(Violation(Kind.RECOVERY, f"{name}, asked to stop, ended {exit_code}"))


def done_and_not_acked(run: Run, kind: str) -> Iterator[Violation]:
    """What a process gave back when it stopped, although it had done it, is done again.

    Where another worker of the service goes on, it takes at once what is given back; whatever is
    done again then is published again, too.
    """
    if kind in RECORDS:
        yield from recorded(run, kind)
    checks = {"orders": noted, "relay": published_already, "archiver": stored}
    if kind in checks:
        yield from checks[kind](run)


def recorded(run: Run, service: str) -> Iterator[Violation]:
    """Orders that wait for a service and have its record.

    Those that were cancelled tell nothing: their record may be of the cancellation.
    """
    placed = [
        each for each in waiting(run, service) if each.properties.get("type") == "order.placed"
    ]
    ids = [each.properties["correlation_id"] for each in placed]
    cancelled = {"_id": {"$in": [ObjectId(each) for each in ids]}, "status": "cancelled"}
    left_out = {str(order["_id"]) for order in run.site.database["orders"].find(cancelled)}
    for record in run.site.database[RECORDS[service]].find({"_id": {"$in": ids}}):
        if record["_id"] not in left_out:
            yield Violation(Kind.TWICE, f"{service} gave back {record['_id']}, done")


def noted(run: Run) -> Iterator[Violation]:
    """What the services told orders, and is in the order's ledger."""
    told = [each for each in waiting(run, "orders") if each.properties.get("type") in CAUSED_ONCE]
    for each in told:
        service, _, state = each.properties["type"].partition(".")
        step = {"$elemMatch": {"service": service, "state": state}}
        order_id = ObjectId(each.properties["correlation_id"])
        if run.site.database["orders"].find_one({"_id": order_id, "steps": step}):
            what = each.properties["message_id"]
            yield Violation(Kind.TWICE, f"orders gave back {what}, noted")


def published_already(run: Run) -> Iterator[Violation]:
    """Events in the outbox, while no relay runs, whose invoices are written anyway."""
    pending = run.site.database["orders"].find({"pending_events.type": "order.placed"})
    ids = [str(order["_id"]) for order in pending]
    deadline = time.monotonic() + INVOICED_SECONDS
    invoiced: list[Document] = []
    while not invoiced and time.monotonic() < deadline:
        invoiced = list(run.site.database["invoices"].find({"_id": {"$in": ids}}))
        time.sleep(POLL_SECONDS)
    for invoice in invoiced:
        yield Violation(Kind.TWICE, f"the relay publishes {invoice['_id']} again")


def stored(run: Run) -> Iterator[Violation]:
    for service in RECORDS:
        ids = [each.properties.get("message_id") for each in waiting(run, f"{service}.dlq")]
        found = {"service": service, "message_id": {"$in": ids}}
        for each in run.site.database["failed_messages"].find(found):
            yield Violation(Kind.TWICE, f"the archiver gave back {each['message_id']}, stored")


def web_answers_whom_it_took(run: Run) -> Iterator[Violation]:
    """No request that web had when it was asked to stop ends without an answer.

    Only what is certain counts: the request was sent before, or its order was stored while its
    client waited. One that meets a connection which closes at that moment may get none, see
    https://www.rfc-editor.org/rfc/rfc9112#section-9.5
    """
    orders = list(run.site.database["orders"].find(of_users(run.users)))
    stored_at = {order["user_id"]: when(order) for order in orders}
    for stop in (fault for fault in run.faults if fault.what == WEB_STOPS):
        for each in unanswered(run, stop.started_at, stop.ended_at):
            was_sent_before = each.at < stop.started_at - ARRIVED_SECONDS
            placed_at = stored_at.get(each.user_id, 0.0) if each.kind == "order" else 0.0
            if was_sent_before or each.at <= placed_at <= each.at + each.seconds:
                what = f"{each.kind} of user {each.user_id}: {each.problem}"
                yield Violation(Kind.ANSWER, f"web had taken, and never answered, {what}")


def unanswered(run: Run, since: float, until: float) -> list[Exchange]:
    """Requests that were under way in this time and ended without an answer."""
    return [
        each
        for each in run.history
        if each.status is None and each.at < until and each.at + each.seconds > since
    ]


DRILL = Drill(
    name="warm-shutdowns",
    promises=(3,),
    promise="A process that is asked to stop finishes what it has started, in time",
    inject=stop_and_start,
    check=web_answers_whom_it_took,
    orders=600,
    traffic_seconds=60,
)
