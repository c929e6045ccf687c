"""What the operator sees first, as plain data: one reading of everything, at one moment.

The verdict, the front page, the wall and the links are all made of it, so no two numbers of a page
can contradict each other. A figure that could not be read is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from messaging.handling.retry_notes import Due

#: Fields by the name of a queue: such names have dots, which MongoDB takes for paths.
BY_QUEUE = ("queues", "consumers_seen", "filled_since")
#: Of the failure groups, those with the most messages are named.
GROUPS_NAMED = 3


class Group(Struct, frozen=True):
    """One cause of failed messages."""

    fingerprint: str
    #: `billing: card service timed out`.
    name: str
    #: Failed now.
    messages: int


class Failed(Struct, frozen=True):
    """The failed messages that nobody has settled: failed, or being replayed."""

    messages: int
    #: Of these, those that are being replayed.
    replaying: int = 0
    orders: int = 0
    customers: int = 0
    #: `4,210.00 EUR`; empty where no order is known.
    money: str = ""
    #: True where only the newest messages' orders were read.
    at_least: bool = False
    oldest_at: datetime | None = None
    #: Failed now, for the first time since then, and nobody has looked at them.
    new_groups: int = 0
    new_since: datetime | None = None
    #: The largest first.
    groups: tuple[Group, ...] = ()


class QueueReading(Struct, frozen=True):
    """One queue of RabbitMQ."""

    name: str
    #: Ready ones.
    messages: int
    consumers: int


class Line(Struct, frozen=True):
    """One service's conservation line; every number counts orders."""

    service: str
    accepted: int
    done: int
    in_flight: int
    retrying: int
    failed: int
    discarded: int
    unaccounted: int
    #: The ids of some that are unaccounted for.
    orders: tuple[str, ...] = ()


class Outbox(Struct, frozen=True):
    """Events that wait to be published."""

    #: The app that keeps them: `orders`, `inventory`.
    of: str
    #: When the oldest happened; None where none waits.
    since: datetime | None


class Heartbeat(Struct, frozen=True):
    """The scheduler's last one."""

    age_seconds: float
    is_fresh: bool
    #: The jobs of which a run does not end.
    late: tuple[str, ...] = ()
    #: For how long it has run; 0 where that is not known.
    running_seconds: float = 0.0


class Deliverer(Struct, frozen=True):
    """Who sends webhooks."""

    #: How many processes give signs of life.
    living: int
    #: Endpoints that have waited too long for what is theirs.
    late_endpoints: int = 0


class Finding(Struct, frozen=True):
    """One of the doctor's."""

    #: `error` or `warning`.
    severity: str
    subject: str
    problem: str
    consequence: str
    fix: str
    #: What to know before typing the fix.
    note: str = ""


class Doctor(Struct, frozen=True):
    """The doctor's last examination."""

    at: datetime
    findings: tuple[Finding, ...] = ()
    #: Checks that could not be made, as what they ask did not answer.
    unchecked: int = 0
    #: Since when each examination had such checks.
    unchecked_since: datetime | None = None


class StockDifference(Struct, frozen=True):
    """The last recount of the stock, where it was not as its movements say."""

    at: datetime
    skus: tuple[str, ...] = ()
    #: By how much the first of them differs.
    first: str = ""


class Snapshot(Struct, frozen=True, kw_only=True):
    #: When it was read, by MongoDB's clock, or by the reader's where MongoDB is down.
    at: datetime
    took_seconds: float = 0.0
    #: Why MongoDB or RabbitMQ cannot be used; empty where it can.
    mongodb: str = ""
    rabbitmq: str = ""
    failed: Failed | None = None
    #: By name, of those that are declared on RabbitMQ.
    queues: dict[str, QueueReading] | None = None
    #: Names of queues that RabbitMQ does not have.
    missing_queues: tuple[str, ...] = ()
    lines: tuple[Line, ...] | None = None
    outboxes: tuple[Outbox, ...] | None = None
    #: By service: since when its oldest order waits that neither failed nor is retried nor lost.
    waiting_since: dict[str, datetime] | None = None
    #: Of these, the services that have answered it: orders has not noted that yet.
    unheard: tuple[str, ...] = ()
    #: By service, of those that have any, in whichever queue they wait.
    retries_due: dict[str, Due] | None = None
    #: Whether a relay runs.
    relay: bool | None = None
    scheduler: Heartbeat | None = None
    #: Whether it is None as MongoDB did not say.
    scheduler_is_unread: bool = False
    #: How many web processes give signs of life.
    web: int | None = None
    #: When the scheduler last saw one; None where it never has.
    web_seen: datetime | None = None
    #: None also where webhooks do not run.
    deliverer: Deliverer | None = None
    #: The same as `web_seen`.
    deliverer_seen: datetime | None = None
    #: By queue with a consumer of ours: when one was last seen there.
    consumers_seen: dict[str, datetime] = {}
    #: By queue that has messages: since when it was never seen empty, by the scheduler.
    filled_since: dict[str, datetime] = {}
    #: By service: since when some order was never accounted for, by the scheduler.
    unaccounted_since: dict[str, datetime] = {}
    doctor: Doctor | None = None
    stock: StockDifference | None = None

    def line(self, service: str) -> Line | None:
        return next((line for line in self.lines or () if line.service == service), None)

    def retries(self, service: str) -> int:
        """How many messages wait for their retry, or for a worker to retry them; 0 where that is
        not known. Where retries are due faster than they are run, most are in the service's own
        queue.
        """
        noted = (self.retries_due or {}).get(service, Due())
        return max(self.in_retry_queues(service), noted.messages)

    def next_retry_at(self, *services: str) -> datetime | None:
        """When the next retry of these services is due; None where none is, or it is not known."""
        noted = ((self.retries_due or {}).get(each, Due()) for each in services)
        return min((each.next_at for each in noted if each.next_at), default=None)

    def in_retry_queues(self, service: str) -> int:
        """Those whose retry is not due yet."""
        names = (name for name in self.queues or {} if name.startswith(f"{service}.retry."))
        return sum((self.queues or {})[name].messages for name in names)


def stored(snapshot: Snapshot) -> dict[str, Any]:
    """As a document for MongoDB."""
    document: dict[str, Any] = msgspec.to_builtins(snapshot, builtin_types=(datetime,))
    for name in BY_QUEUE:
        if document[name] is not None:
            document[name] = [[key, value] for key, value in document[name].items()]
    return document


def loaded(document: Mapping[str, Any]) -> Snapshot | None:
    """The stored snapshot; None where another release wrote it otherwise."""
    fields = {name: value for name, value in document.items() if name != "_id"}
    try:
        for name in BY_QUEUE:
            if fields.get(name) is not None:
                fields[name] = dict(fields[name])
        return msgspec.convert(fields, Snapshot)
    except (TypeError, ValueError):
        return None
