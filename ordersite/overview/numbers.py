"""Every number of the front page, each with the list behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from messaging.service import answering
from messaging.topology import replay_outcomes, undeliverable
from ordersite.overview.durations import age
from ordersite.overview.links import Link, in_flight, retrying, unaccounted_by, workers_of
from ordersite.overview.links import processes as processes_of
from ordersite.overview.process_concerns import archived, deliverer, is_late, overdue
from ordersite.overview.snapshot import Line, QueueReading, Snapshot
from ordersite.overview.unknown import lacks_checks
from ordersite.overview.verdict import (
    RETRY_STORM_MESSAGES,
    SLOW_SECONDS,
    causes,
    doctors,
    unheard,
)
from ordersite.pipeline import health
from runtime.moment import for_programs
from runtime.plural import counted
from webhooks.service import SERVICE as WEBHOOKS_SERVICE

ORDERS = "admin:orders_order_changelist"
MESSAGES = "admin:failed_messages_failedmessage_changelist"
GROUPS = "admin:failed_messages_failuregroup_changelist"
DOCTOR = Link("Doctor", "admin:doctor")
UNKNOWN, NOT_YET = "?", "not checked yet"


class Number(Struct, frozen=True):
    """One number: what it is, how much, the list behind it, and whether it is one to look at."""

    name: str
    text: str
    link: Link
    is_bad: bool = False
    #: The exact time of a relative one.
    at: datetime | None = None

    @property
    def is_unknown(self) -> bool:
        return self.text in (UNKNOWN, NOT_YET)


class Row(Struct, frozen=True):
    """One service, or one process."""

    name: str
    numbers: tuple[Number, ...]


def tiles(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> list[Number]:
    """What there is to do."""
    return [
        *_failed(snapshot, now),
        _retries(snapshot, now, services),
        _unaccounted(snapshot),
        *_outboxes(snapshot, now),
        _stock(snapshot, now),
        _findings(snapshot, now),
    ]


def _failed(snapshot: Snapshot, now: datetime) -> Iterator[Number]:
    failed = snapshot.failed
    to_messages = Link("Failed messages", MESSAGES, "status=failed")
    oldest_first = Link("Failed messages", MESSAGES, "status=failed&sort=longest")
    if failed is None:
        for name in ("failed messages", "orders that failed", "new causes in 24 h"):
            yield Number(name, UNKNOWN, to_messages)
        return
    count, unread = failed.messages - failed.replaying, _unread(snapshot)
    text = f"{count:,}, {unread:,} more unread" if unread else f"{count:,}"
    yield Number("failed messages", text, to_messages, count + unread > 0)
    if failed.replaying:
        replaying = Link("Messages that are being replayed", MESSAGES, "status=replaying")
        yield Number("being replayed", f"{failed.replaying:,}", replaying)
    least = "at least " if failed.at_least else ""
    yield Number(
        "orders that failed",
        f"{least}{failed.orders:,}",
        Link("Orders", ORDERS, "needs=failed"),
        failed.orders > 0,
    )
    if failed.money:
        yield Number("worth", f"{least}{failed.money}", causes(snapshot), True)
    if failed.oldest_at:
        yield Number(
            "oldest failed", _ago(failed.oldest_at, now), oldest_first, True, failed.oldest_at
        )
    since = f"&first_failed_at__gte={for_programs(failed.new_since)}" if failed.new_since else ""
    new = Link("New causes", GROUPS, f"status__exact=new{since}")
    yield Number("new causes in 24 h", f"{failed.new_groups:,}", new, failed.new_groups > 0)


def _unread(snapshot: Snapshot) -> int:
    """What an archiver would have stored by now, if one ran."""
    dead = [each for each in archived(snapshot) if each.name != replay_outcomes.name]
    return sum(each.messages for each in dead if not each.consumers)


def _retries(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> Number:
    counts = [snapshot.retries(service) for service in services]
    due = snapshot.next_retry_at(*services)
    text = _with_next(snapshot, now, sum(counts), due)
    is_storm = max(counts, default=0) >= RETRY_STORM_MESSAGES
    return Number("retries waiting", text, retrying(), is_storm, due)


def _with_next(snapshot: Snapshot, now: datetime, count: int, due: datetime | None) -> str:
    """`3, next in 12 s`."""
    if snapshot.queues is None:
        return UNKNOWN
    following = f", next in {age((due - now).total_seconds())}" if due and due > now else ""
    return f"{count:,}{following if count else ''}"


def _unaccounted(snapshot: Snapshot) -> Number:
    link = Link("Unaccounted orders", ORDERS, "needs=unaccounted")
    if snapshot.lines is None:
        return Number("unaccounted", UNKNOWN, link)
    named = [order_id for line in snapshot.lines for order_id in line.orders]
    # Several services may miss the same order.
    count = sum(line.unaccounted for line in snapshot.lines) - len(named) + len(set(named))
    return Number("unaccounted", f"{count:,}", link, count > 0)


def _outboxes(snapshot: Snapshot, now: datetime) -> Iterator[Number]:
    link = Link("Orders with pending events", ORDERS, "needs=outbox")
    if snapshot.outboxes is None:
        yield Number("outbox", UNKNOWN, link)
        return
    waiting = [(each.since, each.of) for each in snapshot.outboxes if each.since]
    if not waiting:
        yield Number("outbox", "empty", link)
        return
    oldest, of = min(waiting)
    seconds = (now - oldest).total_seconds()
    # Of the others' events there is no list.
    link = link if of == "orders" else processes_of("scheduler")
    yield Number("oldest in the outbox", age(seconds), link, seconds > SLOW_SECONDS / 2, oldest)


def _stock(snapshot: Snapshot, now: datetime) -> Number:
    """Whether it is as its movements say, and as of when."""
    link, last = Link("Stock movements", "admin:inventory_movement_changelist"), snapshot.stock
    if last is None:
        return Number("stock", NOT_YET, link)
    said = f"{counted(len(last.skus), 'product')} wrong" if last.skus else "right"
    return Number("stock", f"{said}, {_ago(last.at, now)}", link, bool(last.skus), last.at)


def _findings(snapshot: Snapshot, now: datetime) -> Number:
    if snapshot.doctor is None:
        return Number("doctor", NOT_YET, DOCTOR)
    count = len(doctors(snapshot))
    at, unchecked = snapshot.doctor.at, snapshot.doctor.unchecked
    text = counted(count, "finding") + (f", {unchecked} not checked" if unchecked else "")
    is_bad = count > 0 or lacks_checks(snapshot.doctor, now)
    return Number("doctor", f"{text}, {_ago(at, now)}", DOCTOR, is_bad, at)


def service_rows(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> list[Row]:
    """Each service: its queue, who consumes it, what waits, what runs again."""
    return [Row(each, tuple(_service(snapshot, now, each))) for each in services]


SERVICE_HEADS = ("queue", "workers", "oldest waits for", "retries", "dead letters")


def _service(snapshot: Snapshot, now: datetime, service: str) -> Iterator[Number]:
    queues = snapshot.queues or {}
    queue, dead = queues.get(service), queues.get(f"{service}.dlq")
    # Its messages are of all orders and of none: the list of who takes them counts them, too.
    yield Number("queue", f"{queue.messages:,}" if queue else UNKNOWN, workers_of(service))
    yield _workers(snapshot, now, service)
    if service in {each.name for each in answering()}:
        yield _oldest_order(snapshot, now, service)
    else:
        yield _oldest_message(snapshot, now, service)
    retries = snapshot.retries(service)
    due = snapshot.next_retry_at(service)
    text = _with_next(snapshot, now, retries, due)
    yield Number("retries", text, retrying(service), retries >= RETRY_STORM_MESSAGES, due)
    yield Number(
        "dead letters",
        f"{dead.messages:,}" if dead else UNKNOWN,
        # Who stores them; those that are stored are no longer in the queue.
        processes_of("archiver"),
        bool(dead and dead.messages and not dead.consumers),
    )


def _oldest_order(snapshot: Snapshot, now: datetime, service: str) -> Number:
    since = (snapshot.waiting_since or {}).get(service)
    waited = (now - since).total_seconds() if since else 0.0
    text = age(waited) if since else ("none" if snapshot.waiting_since is not None else UNKNOWN)
    return Number("waits for", text, in_flight(service), waited > SLOW_SECONDS, since)


def _oldest_message(snapshot: Snapshot, now: datetime, service: str) -> Number:
    """Of a service that answers no order: since when its queue was not seen empty."""
    queue, since = (snapshot.queues or {}).get(service), snapshot.filled_since.get(service)
    if queue is None or (queue.messages and since is None):
        return Number("waits for", UNKNOWN, workers_of(service))
    waited = age((now - since).total_seconds()) if since and queue.messages else "none"
    is_bad = service == "orders" and any(unheard(snapshot, now))
    return Number("waits for", waited, workers_of(service), is_bad, since)


def _workers(snapshot: Snapshot, now: datetime, service: str) -> Number:
    queue = (snapshot.queues or {}).get(service)
    seen = snapshot.consumers_seen.get(service)
    link = workers_of(service)
    if queue is None:
        return Number("workers", UNKNOWN, link)
    if queue.consumers:
        return Number("workers", f"{queue.consumers:,}", link)
    return Number("workers", _none(seen, now), link, True, seen)


def _none(seen: datetime | None, now: datetime) -> str:
    return f"none, last {_ago(seen, now)}" if seen else "none"


QUEUE_HEADS = ("messages", "consumers", "not empty for")


def queue_rows(snapshot: Snapshot, now: datetime) -> list[Row]:
    """The queues of no service's worker: the archiver's, and what can be delivered to nobody."""
    kept = (snapshot.queues or {}).get(undeliverable.name)
    queues = [*archived(snapshot), *([kept] if kept else [])]
    return [Row(each.name, tuple(_queue(snapshot, now, each))) for each in queues]


def _queue(snapshot: Snapshot, now: datetime, queue: QueueReading) -> Iterator[Number]:
    since, is_kept = snapshot.filled_since.get(queue.name), queue.name == undeliverable.name
    is_bad = queue.messages > 0 if is_kept else is_late(snapshot, now, queue)
    yield Number("messages", f"{queue.messages:,}", DOCTOR, is_bad)
    yield Number("consumers", f"{queue.consumers:,}", DOCTOR, not (queue.consumers or is_kept))
    text = age((now - since).total_seconds()) if since else UNKNOWN if queue.messages else "empty"
    yield Number("not empty for", text, DOCTOR, is_bad, since)


def processes(snapshot: Snapshot, now: datetime, services: tuple[str, ...]) -> list[Number]:
    """The processes that are not workers: web, relay, archiver, scheduler, deliverer."""
    taken = archived(snapshot)
    archives = all(queue.consumers for queue in taken) if taken else None
    last = snapshot.scheduler
    is_unread = bool(snapshot.mongodb) or snapshot.scheduler_is_unread
    beats = UNKNOWN if is_unread else "none"
    beat = now - timedelta(seconds=last.age_seconds) if last else None
    if last:
        beats = "hangs" if last.late else f"runs, {age(last.age_seconds)} ago"
        beats = beats if last.is_fresh else f"none, last {age(last.age_seconds)} ago"
    return [
        Number("MongoDB", _answers(snapshot.mongodb), DOCTOR, bool(snapshot.mongodb)),
        Number("RabbitMQ", _answers(snapshot.rabbitmq), DOCTOR, bool(snapshot.rabbitmq)),
        _web(snapshot, now),
        _relay(snapshot, now),
        Number("archiver", _runs(archives), processes_of("archiver"), archives is False),
        Number(
            "scheduler",
            beats,
            processes_of("scheduler"),
            not is_unread and (not last or not last.is_fresh or bool(last.late)),
            beat,
        ),
        *([_deliverer(snapshot, now)] if WEBHOOKS_SERVICE.name in services else []),
    ]


def _deliverer(snapshot: Snapshot, now: datetime) -> Number:
    """Red where the verdict has it: one that begins has given no sign of life yet."""
    link, found, seen = processes_of("deliverer"), snapshot.deliverer, snapshot.deliverer_seen
    if found is None:
        return Number("deliverer", UNKNOWN, link)
    is_bad = any(deliverer(snapshot, now))
    if not found.living:
        return Number("deliverer", _none(seen, now), link, is_bad, seen)
    text = "behind or stuck" if is_bad else f"{found.living:,} running"
    return Number("deliverer", text, link, is_bad)


def _web(snapshot: Snapshot, now: datetime) -> Number:
    link, count, seen = processes_of("web"), snapshot.web, snapshot.web_seen
    if count is None:
        return Number("web", UNKNOWN, link)
    return Number("web", f"{count:,} running" if count else _none(seen, now), link, not count, seen)


def _answers(why_not: str) -> str:
    """The same in a word as the concern about it."""
    words = {
        "": "up",
        health.REFUSED: "refuses",
        health.NO_PRIMARY: "no primary",
        health.SLOW: "no answer",
    }
    return words.get(why_not, "down")


def _relay(snapshot: Snapshot, now: datetime) -> Number:
    if "orders" in overdue(snapshot, now):
        return Number("relay", "behind or stuck", processes_of("relay"), True)
    return Number("relay", _runs(snapshot.relay), processes_of("relay"), snapshot.relay is False)


def _runs(alive: bool | None) -> str:
    return UNKNOWN if alive is None else "runs" if alive else "none"


LINE_HEADS = (
    "accepted",
    "= done",
    "+ in flight",
    "+ retrying",
    "+ failed",
    "+ discarded",
    "+ unaccounted",
)


def line_rows(snapshot: Snapshot) -> list[Row]:
    """The conservation lines."""
    return [Row(line.service, tuple(_line(line))) for line in snapshot.lines or ()]


def _line(line: Line) -> Iterator[Number]:
    owes = f"waits={line.service}"
    links = {
        "accepted": (line.accepted, Link("All orders", ORDERS)),
        "done": (line.done, Link("Orders that it answered", ORDERS, f"done={line.service}")),
        "in flight": (line.in_flight, in_flight(line.service)),
        "retrying": (line.retrying, Link("Orders with retries", ORDERS, f"needs=retrying&{owes}")),
        "failed": (line.failed, Link("Orders that failed", ORDERS, f"needs=failed&{owes}")),
        "discarded": (
            line.discarded,
            Link("Orders given up", ORDERS, f"needs=discarded_{line.service}&{owes}"),
        ),
        "unaccounted": (line.unaccounted, unaccounted_by(line.service)),
    }
    for name, (count, link) in links.items():
        is_bad = bool(count) and name in ("failed", "unaccounted")
        yield Number(name, f"{count:,}", link, is_bad)


def _ago(at: datetime, now: datetime) -> str:
    return f"{age((now - at).total_seconds())} ago"
