"""Is all well, what is wrong, whom does it cost what, and what is the next click?

Plain functions from a snapshot to what the page says.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode

from messaging.handling.retry_notes import Due
from ordersite.overview import process_concerns, unknown
from ordersite.overview.concern import Concern, Level, Verdict
from ordersite.overview.durations import age, seconds_since
from ordersite.overview.links import DOCTOR, Link, retrying, unaccounted_by, workers_of
from ordersite.overview.process_concerns import STUCK_SECONDS
from ordersite.overview.snapshot import Failed, Finding, Group, Line, Snapshot
from runtime.plural import counted

#: An order that neither failed nor is retried waits longer for a service only behind others.
SLOW_SECONDS = 60
#: A few retries are what retries are for.
RETRY_STORM_MESSAGES = 10
#: More answers than the worker of `orders` has before it in a rush.
ORDERS_BACKLOG_MESSAGES = 10_000
BEHIND = (
    "A worker runs. If its queue does not shrink, it hangs: end it. If it only has too much to do, "
    "leave it. Then start one:"
)
HANGS = (
    "Its queue is empty, so a worker seems to hang with what it took. The list says which, and on "
    "which machine. End it, and its messages are handled again, nothing twice. Then start one:"
)
#: Until then the scheduler has sent the event again, and the service has answered.
SENT_AGAIN_SECONDS = 300
#: The doctor's subjects that the snapshot itself knows, and newer.
SAID_BY_THE_SNAPSHOT = (
    "Relay",
    "Outbox",
    "Scheduler",
    "Rabbitmq",
    "Archiver",
    "Deliverer",
    "Worker",
    "Topology",
)


def judge(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> Verdict:
    """What the snapshot means; `services` are the names of all that are declared."""
    found = [
        *process_concerns.dependencies(snapshot),
        *process_concerns.web(snapshot, now),
        *process_concerns.relay(snapshot, now),
        *_unaccounted(snapshot, now),
        *process_concerns.workers(snapshot, now, services),
        *_failed(snapshot, now),
        *_slow(snapshot, now),
        *_retries(snapshot, services),
        *process_concerns.archiver(snapshot, now),
        *process_concerns.deliverer(snapshot, now),
        *process_concerns.scheduler(snapshot, now),
        *_stock(snapshot, now),
        *_doctor(snapshot),
        *unknown.parts(snapshot, services),
        *unknown.stock(snapshot, now),
        *unknown.doctor(snapshot, now),
    ]
    found.sort(key=lambda concern: -concern.level)
    return Verdict(max((each.level for each in found), default=Level.GOOD), tuple(found))


def _unaccounted(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    for line in snapshot.lines or ():
        if line.unaccounted:
            since = snapshot.unaccounted_since.get(line.service)
            stays = since is not None and seconds_since(since, now) > SENT_AGAIN_SECONDS
            is_one, is_sent = line.unaccounted == 1, _is_sent_again(snapshot)
            again = (
                "The scheduler sends the message again within a minute; nothing is done twice."
                if is_sent
                else "It is sent again once a scheduler and a relay run; nothing is done twice."
            )
            yield Concern(
                level=Level.BROKEN if stays or not is_sent else Level.DEGRADED,
                what=f"{counted(line.unaccounted, 'order')} unaccounted for: "
                f"{line.service} never answered.",
                cost=f"{'It waits' if is_one else 'They wait'} for {line.service}, and no message "
                f"about {'it' if is_one else 'them'} is on its way. {again}",
                click=unaccounted(line),
                step=_what_then(stays=stays, is_sent=is_sent),
                command="python manage.py conservation",
                since=since,
            )


def _what_then(*, stays: bool, is_sent: bool) -> str:
    count_again = "To count again now:"
    if not is_sent:
        return count_again
    if stays:
        return f"For 5 min there was always one: the log of the scheduler says why. {count_again}"
    return f"Nothing is to be done if it is gone within 5 min. {count_again}"


def _is_sent_again(snapshot: Snapshot) -> bool:
    """Whether what sends it and what publishes it run."""
    scheduler = snapshot.scheduler
    return bool(scheduler and scheduler.is_fresh) and snapshot.relay is not False


def unaccounted(line: Line) -> Link:
    if len(line.orders) == 1:
        return Link("Open the order", "admin:orders_order_change", args=line.orders)
    return unaccounted_by(line.service)


def _failed(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    failed = snapshot.failed
    if not failed or not failed.messages:
        return
    messages = counted(failed.messages, "failed message")
    cause = _largest(failed)
    oldest = failed.oldest_at
    since = f", the oldest for {age(seconds_since(oldest, now))}" if oldest else ""
    yield Concern(
        level=Level.DEGRADED,
        what=f"{messages} not settled{since}.",
        cost=f"{costs(snapshot)}{cause}",
        click=causes(snapshot),
        step="Read there what to do about the cause; then replay its messages."
        if failed.orders
        else "Read there what to do about the cause; then replay its messages, or discard them.",
        since=failed.oldest_at,
    )


def _largest(failed: Failed) -> str:
    """Which cause most of them have, or more than any other."""
    if not failed.groups:
        return ""
    group = failed.groups[0]
    if group.messages == failed.messages:
        return f" The cause: {group.name}"
    of_these = "Most of them" if is_most(group, failed) else f"{group.messages:,} of them"
    return f" {of_these}: {group.name}"


def is_most(group: Group, failed: Failed) -> bool:
    return group.messages * 2 > failed.messages


def costs(snapshot: Snapshot) -> str:
    """`At least 12 orders of 9 customers, 4,210.00 EUR, wait for an operator.`"""
    failed = snapshot.failed
    if not failed or not failed.orders:
        return "None is about an order that is stored here, so no order waits for it."
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
    if failed and failed.groups and is_most(failed.groups[0], failed):
        name, group = "admin:failed_messages_failuregroup_change", failed.groups[0].fingerprint
        return Link("Show the cause and its messages", name, args=(group,))
    return Link("Show the causes", "admin:failed_messages_failuregroup_changelist")


def _slow(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """A service whose worker is there, and does not get on."""
    yield from unheard(snapshot, now)
    for service, since in (snapshot.waiting_since or {}).items():
        queue = (snapshot.queues or {}).get(service)
        waited = seconds_since(since, now)
        if queue is None or not queue.consumers or waited <= SLOW_SECONDS:
            continue
        if service in snapshot.unheard:
            continue
        line = snapshot.line(service)
        orders = counted(max(1, line.in_flight if line else queue.messages), "order")
        yield Concern(
            level=Level.BROKEN if waited > STUCK_SECONDS else Level.DEGRADED,
            what=f"Service {service} is behind or stuck: its oldest order has waited "
            f"{age(waited)}.",
            cost=f"{orders} not yet handled by {service}; {counted(queue.messages, 'message')} "
            "in its queue. Nothing is lost.",
            click=workers_of(service),
            step=BEHIND if queue.messages else HANGS,
            command=f"celery -A celery_app worker -Q {service} -n {service}@%h",
            since=since,
        )


def unheard(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """Only the worker of `orders` notes what the others did."""
    queue, waiting = (snapshot.queues or {}).get("orders"), snapshot.waiting_since or {}
    if queue is None or not queue.consumers:
        return
    since = min((waiting[each] for each in snapshot.unheard if each in waiting), default=None)
    waited = seconds_since(since, now) if since else 0.0
    if waited <= SLOW_SECONDS and queue.messages < ORDERS_BACKLOG_MESSAGES:
        return
    oldest = f" The oldest such order has waited {age(waited)}." if since else ""
    yield Concern(
        level=Level.BROKEN if waited > STUCK_SECONDS else Level.DEGRADED,
        what="Service orders is behind or stuck: the statuses of orders are out of date.",
        cost="What the other services did is done, and not yet written down in the orders. "
        f"{counted(queue.messages, 'message')} in its queue.{oldest}",
        click=workers_of("orders"),
        step=BEHIND if queue.messages else HANGS,
        command="celery -A celery_app worker -Q orders -n orders@%h",
        since=since,
    )


def _retries(snapshot: Snapshot, services: tuple[str, ...]) -> Iterator[Concern]:
    for service in services:
        count, waits = snapshot.retries(service), "wait for a retry"
        due = (snapshot.retries_due or {}).get(service)
        if count > snapshot.in_retry_queues(service):
            waits = "wait for a retry, or for a worker to retry them"
        if count >= RETRY_STORM_MESSAGES:
            yield Concern(
                level=Level.DEGRADED,
                what=f"Service {service} keeps failing: {count:,} messages {waits}.",
                cost=f"{_why(due)}Their orders are late. A message whose last attempt fails, too, "
                "becomes a failed message.",
                click=retrying(service),
                step="The list has the error of each. Once the cause is fixed, all succeed by "
                "themselves when they are due; “Retry now” tries one at once.",
            )


def _why(due: Due | None) -> str:
    return f"One of them: {due.error}. " if due and due.error else ""


def _stock(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    if snapshot.stock and snapshot.stock.skus:
        skus, recounted = snapshot.stock.skus, age(seconds_since(snapshot.stock.at, now))
        others = f" So it is with {counted(len(skus) - 1, 'other product')}." if skus[1:] else ""
        yield Concern(
            level=Level.DEGRADED,
            what=f"The stock of {', '.join(skus[:3])} differs from what its movements add up to.",
            cost=f"{snapshot.stock.first}{others} Seen {recounted} ago.".strip(),
            click=Link(
                "Show its movements",
                "admin:inventory_movement_changelist",
                urlencode({"q": skus[0]}),
            ),
            step="No order waits for this. Count the goods, then store what the movements add up "
            "to (if there are more, restock the difference after it):",
            command=f"python manage.py recount_stock --correct {shlex.quote(skus[0])}",
            since=snapshot.stock.at,
            since_what="Recounted at",
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
            step=finding.note,
            command=finding.fix,
        )
