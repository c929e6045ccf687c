"""Is all well, what is wrong, whom does it cost what, and what is the next click?

Plain functions from a snapshot to what the page says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ordersite.overview.concern import Concern, Level, Verdict
from ordersite.overview.durations import age
from ordersite.overview.links import Link
from ordersite.overview.snapshot import Finding, Line, Snapshot

#: An event waits longer for the relay only where something is wrong: another relay takes over from
#: a killed one after 10 s.
OUTBOX_OLD_SECONDS = 30
#: An order that neither failed nor is retried waits longer for a service only behind others.
SLOW_SECONDS = 60
STUCK_SECONDS = 600
#: A few retries are what retries are for.
RETRY_STORM_MESSAGES = 10
#: The doctor's subjects that the snapshot itself knows, and newer.
SAID_BY_THE_SNAPSHOT = (
    "Relay",
    "Outbox",
    "Shipments",
    "Scheduler",
    "Rabbitmq",
    "Archiver",
    "Worker",
    "Topology",
)


DOCTOR = Link("What the doctor says", "admin:doctor")
RETRYING = Link("Orders with retries", "admin:orders_order_changelist", "needs=retrying")


def judge(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> Verdict:
    """What the snapshot means; `services` are the names of all that are declared."""
    found = [
        *_dependencies(snapshot),
        *_relay(snapshot, now),
        *_unaccounted(snapshot),
        *_workers(snapshot, now, services),
        *_failed(snapshot, now),
        *_slow(snapshot, now),
        *_retries(snapshot, services),
        *_archiver(snapshot, services),
        *_scheduler(snapshot),
        *_stock(snapshot, now),
        *_doctor(snapshot),
    ]
    found.sort(key=lambda concern: -concern.level)
    return Verdict(max((each.level for each in found), default=Level.GOOD), tuple(found))


def _dependencies(snapshot: Snapshot) -> Iterator[Concern]:
    if snapshot.mongodb:
        yield Concern(
            level=Level.BROKEN,
            what=f"MongoDB cannot be used: {snapshot.mongodb}",
            cost="No order can be taken, and none moves on. What was taken is kept.",
            click=DOCTOR,
            command="python manage.py doctor",
        )
    if snapshot.rabbitmq:
        yield Concern(
            level=Level.BROKEN,
            what=f"RabbitMQ cannot be used: {snapshot.rabbitmq}",
            cost="Orders are still taken, and wait; no service gets any. Nothing is lost.",
            click=DOCTOR,
            command="python manage.py doctor",
        )
    if snapshot.missing_queues:
        yield Concern(
            level=Level.BROKEN,
            what=f"RabbitMQ does not have: {', '.join(snapshot.missing_queues)}.",
            cost="Messages for it are lost; the scheduler sends them again when it is there.",
            click=DOCTOR,
            command="python manage.py declare_topology",
        )


def _relay(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    since = {each.of: each.since for each in snapshot.outboxes or () if each.since}
    waiting = [_seconds(at, now) for at in since.values()]
    oldest = max(waiting, default=0.0)
    orders = Link("Orders with pending events", "admin:orders_order_changelist", "needs=outbox")
    if snapshot.relay is False:
        yield Concern(
            level=Level.BROKEN,
            what="No relay runs: nothing that is placed leaves the outbox.",
            cost="Orders are taken and wait; neither stock nor invoice follows. "
            + (f"The oldest has waited {age(oldest)}." if oldest else "None waits yet."),
            click=orders,
            command="python manage.py relay",
        )
    elif oldest > OUTBOX_OLD_SECONDS and not snapshot.rabbitmq:
        yield Concern(
            level=Level.BROKEN if oldest > STUCK_SECONDS else Level.DEGRADED,
            what=f"The outbox grows: its oldest event has waited {age(oldest)}.",
            cost="Orders were taken that no service has got yet. Nothing is lost.",
            click=orders if "orders" in since else _reservations(),
            command="" if "orders" in since else "python manage.py scheduler",
        )


def _reservations() -> Link:
    shipped = "state__exact=shipped"
    return Link("Shipped reservations", "admin:inventory_reservation_changelist", shipped)


def _unaccounted(snapshot: Snapshot) -> Iterator[Concern]:
    for line in snapshot.lines or ():
        if line.unaccounted:
            yield Concern(
                level=Level.BROKEN,
                what=f"{counted(line.unaccounted, 'order')} unaccounted for: "
                f"{line.service} never answered.",
                cost=f"These customers wait for {line.service}, and no message is on its way. The "
                "scheduler sends the events again within a minute.",
                click=unaccounted(line),
                command="python manage.py conservation",
            )


def unaccounted(line: Line) -> Link:
    if len(line.orders) == 1:
        return Link("The order", "admin:orders_order_change", args=line.orders)
    return Link("These orders", "admin:orders_order_changelist", "needs=unaccounted")


def _workers(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> Iterator[Concern]:
    for service in services:
        queue = (snapshot.queues or {}).get(service)
        if queue is None or queue.consumers:
            continue
        seen = snapshot.consumers_seen.get(service)
        line = snapshot.line(service)
        waiting = max(queue.messages, line.in_flight if line else 0)
        since = f" The last was seen {age(_seconds(seen, now))} ago." if seen else ""
        yield Concern(
            level=Level.BROKEN,
            what=f"No worker of {service} runs.{since}",
            cost=f"{counted(waiting, 'order') if waiting else 'No order'} waits for it."
            if waiting < 2
            else f"{counted(waiting, 'order')} wait for it. Other services continue.",
            click=waiting_for(service),
            command=f"celery -A celery_app worker -Q {service} -n {service}@%h",
        )


def waiting_for(service: str) -> Link:
    query = f"waits={service}" if service != "orders" else "needs=waiting"
    return Link(f"Orders that wait for {service}", "admin:orders_order_changelist", query)


def _failed(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    failed = snapshot.failed
    if not failed or not failed.messages:
        return
    messages = counted(failed.messages, "failed message")
    cause = f" Most of them: {failed.groups[0].name}" if failed.groups else ""
    since = f", the oldest since {age(_seconds(failed.oldest_at, now))}" if failed.oldest_at else ""
    yield Concern(
        level=Level.DEGRADED,
        what=f"{messages} not settled{since}.",
        cost=f"{costs(snapshot)}{cause}",
        click=causes(snapshot),
    )


def costs(snapshot: Snapshot) -> str:
    """`At least 12 orders of 9 customers, 4,210.00 EUR, wait for an operator.`"""
    failed = snapshot.failed
    if not failed or not failed.orders:
        return "No order of ours is held up by it."
    customers = counted(failed.customers, "customer")
    money = f", {failed.money}" if failed.money else ""
    least = "At least " if failed.at_least else ""
    verb = "waits" if failed.orders == 1 else "wait"
    comma = "," if money else ""
    orders = f"{least}{counted(failed.orders, 'order')}"
    return f"{orders} of {customers}{money}{comma} {verb} for an operator."


def causes(snapshot: Snapshot) -> Link:
    """To the group of most of them, where one has most."""
    failed = snapshot.failed
    if failed and failed.groups and failed.groups[0].messages * 2 > failed.messages:
        name, group = "admin:failed_messages_failuregroup_change", failed.groups[0].fingerprint
        return Link("The cause, with its messages", name, args=(group,))
    return Link("The causes", "admin:failed_messages_failuregroup_changelist")


def _slow(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """A service whose worker is there, and does not get on."""
    for service, since in (snapshot.waiting_since or {}).items():
        queue = (snapshot.queues or {}).get(service)
        waited = _seconds(since, now)
        if queue is None or not queue.consumers or waited <= SLOW_SECONDS:
            continue
        line = snapshot.line(service)
        orders = counted(max(1, line.in_flight if line else queue.messages), "order")
        yield Concern(
            level=Level.BROKEN if waited > STUCK_SECONDS else Level.DEGRADED,
            what=f"{service} is behind or stuck: its oldest order has waited {age(waited)}.",
            cost=f"{orders} without an answer of {service}; {queue.messages:,} messages in its "
            "queue.",
            click=waiting_for(service),
            command=f"celery -A celery_app worker -Q {service} -n {service}@%h",
        )


def _retries(snapshot: Snapshot, services: tuple[str, ...]) -> Iterator[Concern]:
    for service in services:
        count = snapshot.retries(service)
        if count >= RETRY_STORM_MESSAGES:
            yield Concern(
                level=Level.DEGRADED,
                what=f"{service} keeps failing: {count:,} messages wait for a retry.",
                cost="Their orders are late. Each becomes a failed message after its last attempt.",
                click=RETRYING,
            )


def _archiver(snapshot: Snapshot, services: tuple[str, ...]) -> Iterator[Concern]:
    queues = snapshot.queues or {}
    deserted = [f"{each}.dlq" for each in services if f"{each}.dlq" in queues]
    deserted = [name for name in deserted if not queues[name].consumers]
    if deserted:
        dead = sum(queues[name].messages for name in deserted)
        yield Concern(
            level=Level.DEGRADED,
            what="No archiver runs: what fails now cannot be seen here.",
            cost=f"{counted(dead, 'dead message')} wait in RabbitMQ. None is lost.",
            click=DOCTOR,
            command="python manage.py archiver",
        )


def _scheduler(snapshot: Snapshot) -> Iterator[Concern]:
    if snapshot.mongodb:
        return
    last = snapshot.scheduler
    if last is None or not last.is_fresh:
        heard = f" It was last heard of {age(last.age_seconds)} ago." if last else ""
        what, stopped = f"No scheduler runs.{heard}", "Shipments, bulk replays, alerts, retention"
    elif last.late:
        what, stopped = "The scheduler hangs.", ", ".join(last.late)
    else:
        return
    yield Concern(
        level=Level.DEGRADED,
        what=what,
        cost=f"{stopped} and resending what was lost do not run. Orders move on.",
        click=DOCTOR,
        command="python manage.py scheduler",
    )


def _stock(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    if snapshot.stock and snapshot.stock.skus:
        skus = snapshot.stock.skus
        yield Concern(
            level=Level.BROKEN,
            what=f"The stock of {', '.join(skus[:3])} is not what its movements say.",
            cost=f"Orders for {counted(len(skus), 'product')} may be promised "
            f"goods that are not there. Recounted {age(_seconds(snapshot.stock.at, now))} ago.",
            click=Link("Its movements", "admin:inventory_movement_changelist", f"q={skus[0]}"),
            command="python manage.py recount_stock",
        )


def doctors(snapshot: Snapshot) -> list[Finding]:
    """What the doctor found beside what the snapshot says itself, and newer."""
    findings = snapshot.doctor.findings if snapshot.doctor else ()
    return [each for each in findings if not each.subject.startswith(SAID_BY_THE_SNAPSHOT)]


def _doctor(snapshot: Snapshot) -> Iterator[Concern]:
    for finding in doctors(snapshot):
        yield Concern(
            level=Level.BROKEN if finding.severity == "error" else Level.DEGRADED,
            what=f"{finding.subject}: {finding.problem}",
            cost=finding.consequence,
            click=DOCTOR,
            command=finding.fix,
        )


def counted(count: int, noun: str) -> str:
    """`1 order`, `1,200 orders`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
