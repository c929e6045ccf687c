"""What is wrong with a process, or with MongoDB and RabbitMQ, which all of them need."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from messaging import topology
from ordersite.doctor.backlogs import BACKLOG_MESSAGES
from ordersite.overview.concern import Concern, Level
from ordersite.overview.durations import age, seconds_since
from ordersite.overview.links import DOCTOR, workers_of
from ordersite.overview.links import processes as processes_of
from ordersite.overview.snapshot import Line, QueueReading, Snapshot
from ordersite.pipeline import health
from runtime.plural import counted

#: An event waits longer for the relay only where something is wrong: another relay takes over from
#: a killed one after 10 s.
OUTBOX_OLD_SECONDS = 30
#: The archiver stores a message in milliseconds.
ARCHIVER_LATE_SECONDS = 60
#: What has waited for so long does not move on by itself.
STUCK_SECONDS = 600

#: A web process that is started again is nobody's concern.
NO_WEB_SECONDS = 60

#: One that is started again is nobody's concern: its first sign of life comes late.
NO_DELIVERER_SECONDS = 60

NONE_WAITS = "None waits yet."
#: What a command is for.
ASK_WHY, START_ONE = "The doctor says why, and what to do. In a terminal:", "Start one:"


def dependencies(snapshot: Snapshot) -> Iterator[Concern]:
    if snapshot.mongodb:
        yield Concern(
            level=Level.BROKEN,
            what=f"MongoDB cannot be used: {snapshot.mongodb}",
            cost="No order can be taken, and none moves on. What was taken is kept.",
            click=DOCTOR,
            step=ASK_WHY,
            command="python manage.py doctor",
        )
    if snapshot.rabbitmq:
        yield Concern(
            level=Level.BROKEN,
            what=f"RabbitMQ cannot be used: {snapshot.rabbitmq}",
            cost="Orders are still taken. If it hangs they wait; if it is only slow they move on, "
            "late. Nothing is lost."
            if snapshot.rabbitmq == health.SLOW
            else "Orders are still taken, and wait; no service gets any. Nothing is lost.",
            click=DOCTOR,
            step=ASK_WHY,
            command="python manage.py doctor",
        )
    if snapshot.missing_queues:
        yield Concern(
            level=Level.BROKEN,
            what=f"RabbitMQ does not have: {', '.join(snapshot.missing_queues)}.",
            cost="Messages for it are lost; the scheduler sends them again when it is there.",
            click=DOCTOR,
            step="Declare it again:",
            command="python manage.py declare_topology",
        )


def web(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """Whoever reads this on a page has one that runs; the scheduler's alerts tell it."""
    seen = snapshot.web_seen
    if snapshot.mongodb or snapshot.web != 0 or seen is None:
        return
    if (silent := seconds_since(seen, now)) > NO_WEB_SECONDS:
        yield Concern(
            level=Level.BROKEN,
            what=f"No web process runs. The last was seen {age(silent)} ago.",
            cost="No order can be taken, and the admin cannot be opened. Orders that were taken "
            "move on.",
            click=processes_of("web"),
            step=START_ONE,
            command="python manage.py serve",
            since=seen,
        )


def relay(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    if snapshot.relay is False:
        waiting = [each.since for each in snapshot.outboxes or () if each.since]
        first = min(waiting, default=None)
        yield Concern(
            level=Level.BROKEN,
            what="No relay runs: new orders do not reach the services.",
            cost="Orders are taken and kept, but no stock is reserved and no invoice made. "
            + (f"The oldest has waited {age(seconds_since(first, now))}." if first else NONE_WAITS),
            click=processes_of("relay"),
            step=START_ONE,
            command="python manage.py relay",
            since=first,
        )
    elif late := overdue(snapshot, now):
        first = min(late.values())
        oldest = seconds_since(first, now)
        yield Concern(
            level=Level.BROKEN if oldest > STUCK_SECONDS else Level.DEGRADED,
            what=f"The outbox grows: its oldest event has waited {age(oldest)}.",
            cost="Orders were taken that no service has got yet. Nothing is lost."
            if "orders" in late
            else f"What {' and '.join(late)} did is not told to the others yet. Nothing is lost.",
            click=processes_of("relay" if "orders" in late else "scheduler"),
            step="The relay runs, but publishes nothing, or too little. The list of processes says "
            "what it waits for, and on which machine it is. If it hangs, end it, then start one:"
            if "orders" in late
            else f"The scheduler sends these. {START_ONE}",
            command=f"python manage.py {'relay' if 'orders' in late else 'scheduler'}",
            since=first,
        )


def overdue(snapshot: Snapshot, now: datetime) -> dict[str, datetime]:
    """By outbox: since when its oldest event waits, though what publishes it should have by now."""
    if snapshot.relay is False or snapshot.rabbitmq:
        return {}
    waiting = {each.of: each.since for each in snapshot.outboxes or () if each.since}
    return {
        of: since for of, since in waiting.items() if seconds_since(since, now) > OUTBOX_OLD_SECONDS
    }


def workers(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> Iterator[Concern]:
    for service in services:
        queue = (snapshot.queues or {}).get(service)
        if queue is None or queue.consumers:
            continue
        seen = snapshot.consumers_seen.get(service)
        line = snapshot.line(service)
        last = f" The last was seen {age(seconds_since(seen, now))} ago." if seen else ""
        yield Concern(
            level=Level.BROKEN,
            what=f"No {service} worker runs.{last}",
            cost=_who_waits(queue, line),
            click=workers_of(service),
            step=START_ONE,
            command=f"celery -A celery_app worker -Q {service} -n {service}@%h",
            since=seen,
        )


def _who_waits(queue: QueueReading, line: Line | None) -> str:
    """Orders where they are counted: a queue has messages of each more than once, and others."""
    messages = f"{counted(queue.messages, 'message')} in its queue. Other services continue."
    if line is None:
        return messages
    orders = line.in_flight + line.retrying
    return f"{counted(orders, 'order')} {'waits' if orders == 1 else 'wait'} for it; {messages}"


def archived(snapshot: Snapshot) -> list[QueueReading]:
    """The queues that the archiver consumes, of those that there are."""
    names, queues = [queue.name for queue in topology.archived()], snapshot.queues or {}
    return [queues[name] for name in names if name in queues]


def archiver(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    queues = archived(snapshot)
    deserted = [each for each in queues if not each.consumers]
    late = [each for each in queues if is_late(snapshot, now, each)]
    if deserted:
        count = sum(each.messages for each in deserted)
        yield Concern(
            level=Level.DEGRADED,
            what="No archiver runs: what fails now cannot be seen here.",
            cost=f"{counted(count, 'message')} about failures and replays "
            f"{'waits' if count == 1 else 'wait'} for it in RabbitMQ. None is lost.",
            click=processes_of("archiver"),
            step=START_ONE,
            command="python manage.py archiver",
        )
    elif late:
        waiting = ", ".join(f"{counted(each.messages, 'message')} in {each.name}" for each in late)
        filled = [snapshot.filled_since.get(each.name, now) for each in late]
        yield Concern(
            level=Level.DEGRADED,
            what=f"The archiver is behind or stuck: {waiting}.",
            cost="What failed, and how replays ended, is seen late. None is lost.",
            click=processes_of("archiver"),
            step="If they do not become fewer, end the archiver, then start one:",
            command="python manage.py archiver",
            since=min(filled),
        )


def is_late(snapshot: Snapshot, now: datetime, queue: QueueReading) -> bool:
    """Whether the archiver would have emptied this queue if it worked as it should."""
    since = snapshot.filled_since.get(queue.name, now)
    waits_for_long = queue.messages > 0 and seconds_since(since, now) > ARCHIVER_LATE_SECONDS
    return queue.messages > BACKLOG_MESSAGES or waits_for_long


def deliverer(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """Who sends webhooks: none where something waits for it, or where one was seen and is gone."""
    found, seen = snapshot.deliverer, snapshot.deliverer_seen
    if snapshot.mongodb or found is None:
        return
    silent = seconds_since(seen, now) if seen else 0.0
    is_gone = not found.living and (silent > NO_DELIVERER_SECONDS or found.late_endpoints > 0)
    if not (is_gone or found.late_endpoints):
        return
    last = f" The last was seen {age(silent)} ago." if seen else ""
    endpoints = counted(found.late_endpoints, "endpoint")
    waits = "waits" if found.late_endpoints == 1 else "wait"
    late = f"{endpoints} {waits} for what is theirs. " if found.late_endpoints else ""
    yield Concern(
        level=Level.DEGRADED,
        what=f"No deliverer runs: no webhook is sent.{last}"
        if is_gone
        else "The deliverer is behind or stuck: webhooks are sent late.",
        cost=f"{late}Customers are not told of events. Orders move on; nothing is lost.",
        click=processes_of("deliverer"),
        step=START_ONE if is_gone else "If it hangs, end it; if it has too much to do, start more:",
        command="python manage.py deliverer",
        since=seen if is_gone else None,
    )


def scheduler(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    if snapshot.mongodb or snapshot.scheduler_is_unread:
        return
    last = snapshot.scheduler
    if last is None or not last.is_fresh:
        heard = f" It was last heard of {age(last.age_seconds)} ago." if last else ""
        what, stopped = (
            f"No scheduler runs.{heard}",
            "Services' outboxes, bulk replays, alerts, retention",
        )
        step = START_ONE
    elif last.late:
        what, stopped = "The scheduler hangs.", ", ".join(last.late)
        step = "End it, then start one:"
    else:
        return
    yield Concern(
        level=Level.DEGRADED,
        what=what,
        cost=f"{stopped} and resending what was lost do not run. Orders move on.",
        click=processes_of("scheduler"),
        step=step,
        command="python manage.py scheduler",
        since=now - timedelta(seconds=last.age_seconds) if last else None,
        since_what="Last heard of at" if last and last.late else "Since",
    )
