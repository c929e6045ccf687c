"""What the snapshot does not know: it must not count as healthy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ordersite.overview.concern import Concern, Level
from ordersite.overview.durations import age, seconds_since
from ordersite.overview.links import DOCTOR, Link
from ordersite.overview.snapshot import Doctor, Snapshot
from runtime.plural import counted
from webhooks.service import SERVICE as WEBHOOKS_SERVICE

#: An examination that takes half a minute is made every ten.
DOCTOR_OLD_SECONDS = 900
#: It takes a hundredth of the time: one of a quarter of an hour is made once a day.
STOCK_OLD_SECONDS = 172_800
#: One that a start or the end of an outage spoiled is followed by a good one sooner.
UNCHECKED_SECONDS = 180


def parts(snapshot: Snapshot, services: tuple[str, ...]) -> Iterator[Concern]:
    """Of MongoDB that answers; one that is slow fails to tell several at once."""
    if snapshot.mongodb:
        return
    needed: dict[str, object] = {
        "failed messages": snapshot.failed,
        "the outbox": snapshot.outboxes,
        "whether a relay runs": snapshot.relay,
        "whether web runs": snapshot.web,
        "whether a scheduler runs": None if snapshot.scheduler_is_unread else True,
        "which orders wait": snapshot.waiting_since,
        "when retries are due": snapshot.retries_due,
    }
    if WEBHOOKS_SERVICE.name in services:
        needed["whether a deliverer runs"] = snapshot.deliverer
    if not snapshot.rabbitmq:
        needed["where every order is"] = snapshot.lines
    if unread := [name for name, part in needed.items() if part is None]:
        yield Concern(
            level=Level.DEGRADED,
            what=f"MongoDB could not be read for: {', '.join(unread)}.",
            cost="Nobody sees here what is wrong there. Orders do not depend on it.",
            click=DOCTOR,
            step="It was too slow, or has a document that this release cannot read: the log of the "
            "scheduler says which, without a scheduler that of web. Whether MongoDB is well:",
            command="python manage.py doctor",
        )


def stock(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """A recount that is not made any more, though a scheduler runs."""
    last, scheduler = snapshot.stock, snapshot.scheduler
    if snapshot.mongodb or last is None or not (scheduler and scheduler.is_fresh):
        return
    ago = seconds_since(last.at, now)
    if ago > STOCK_OLD_SECONDS and scheduler.running_seconds > STOCK_OLD_SECONDS:
        yield Concern(
            level=Level.DEGRADED,
            what=f"The stock was last recounted {age(ago)} ago.",
            cost="Whether it is as its movements say, nobody sees.",
            click=Link("Stock movements", "admin:inventory_movement_changelist"),
            step="Why the scheduler cannot, its log says. To recount it now:",
            command="python manage.py recount_stock",
            since=last.at,
            since_what="Recounted at",
        )


def doctor(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    """An examination that could not check, or that is not made; who is down is said elsewhere."""
    if not (snapshot.mongodb or snapshot.rabbitmq):
        yield from _unchecked(snapshot.doctor, now)
        yield from _not_asked(snapshot, now)


def lacks_checks(last: Doctor, now: datetime) -> bool:
    """Whether checks could not be made for longer than a start or the end of an outage takes."""
    since = last.unchecked_since or last.at
    return bool(last.unchecked) and seconds_since(since, now) > UNCHECKED_SECONDS


def _unchecked(last: Doctor | None, now: datetime) -> Iterator[Concern]:
    if last and lacks_checks(last, now):
        since = last.unchecked_since or last.at
        lasted = seconds_since(since, now)
        checks = counted(last.unchecked, "check")
        yield Concern(
            level=Level.DEGRADED,
            what=f"{checks} of the doctor could not be made for {age(lasted)}.",
            cost="Nobody sees what they would find.",
            click=DOCTOR,
            step="This page asks it again, and says which, and why.",
            since=since,
        )


def _not_asked(snapshot: Snapshot, now: datetime) -> Iterator[Concern]:
    last, scheduler = snapshot.doctor, snapshot.scheduler
    # One that has just begun is about to ask; without one, that is said already.
    if not (scheduler and scheduler.is_fresh and scheduler.running_seconds > DOCTOR_OLD_SECONDS):
        return
    if last and seconds_since(last.at, now) <= DOCTOR_OLD_SECONDS:
        return
    ago = f"last asked {age(seconds_since(last.at, now))} ago" if last else "never asked"
    yield Concern(
        level=Level.DEGRADED,
        what=f"The doctor was {ago}.",
        cost="Nobody sees what it would find.",
        click=DOCTOR,
        step="This page asks it now. The scheduler's log says why it cannot.",
        since=last.at if last else None,
        since_what="Asked at",
    )
