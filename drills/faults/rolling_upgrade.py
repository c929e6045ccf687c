"""This release replaces the previous one, is taken back, and comes again, while orders flow.

The previous release is the one of Git's history. The site begins with it alone: its database, its
queues, its processes. Then an operator does what docs/upgrading.md says, one process after the
other, so that those of two releases work side by side. Whatever is published meanwhile is also read
by the previous release's schemas; and messages come as the next release will write them, with a
newer `schema-version`, which nobody here can read. Goods go out under both releases. In the end the
processes declare other queues, too, so that `topology apply` moves some.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import amqp

from drills.checks.invariant import RECORDS
from drills.cluster.previous_release import previous_release
from drills.cluster.release import THIS, Release
from drills.drill import Drill
from drills.run import Run
from drills.traffic.external_publishers import publish_all
from drills.traffic.previous_release import Reader
from drills.traffic.tap import tapped
from drills.traffic.warehouse import ship_some
from drills.violation import Kind, Violation

NEWER_VERSION = 2
#: Where everything passes that the services publish for others.
EXCHANGES = ("order_events.topic", "inventory_events", "billing_events")
#: Another one than by default, as a release may have it, or an operator.
NEXT_LIMIT = "21"
HEARD = ("order.placed", "order.confirmed", "inventory.reserved", "billing.invoiced")


def upgrade(run: Run) -> None:
    previous = run.site.release
    reader = Reader(previous.root / "docs/schemas")
    run.wait(0.5, 1)
    with tapped(run, *EXCHANGES) as tap:
        with run.faults.during("migrate, under the previous release"):
            run.site.release = THIS
            run.site.manage("migrate", "--verbosity", "0").check_returncode()
        roll(run, THIS, "forward")
        run.seen += ship_some(run.site, run.users, run.chance)
        roll(run, previous, "back")
        run.seen += ship_some(run.site, run.users, run.chance)
        roll(run, THIS, "forward again", DELIVERY_LIMIT=NEXT_LIMIT)
        run.seen += read_by_the_previous_release(run, reader, tap.messages())


def roll(run: Run, release: Release, what: str, **settings: str) -> None:
    """Replace each process by the release's, then let `topology apply` change the queues."""
    site = run.site
    names = [*site.pipeline.processes]
    run.chance.shuffle(names)
    with run.faults.during(f"processes of two releases, {what}"):
        for name in names:
            publish_as_the_next_release(run)
            site.pipeline.stop([name])
            site.pipeline.become(name, release, **settings)
            site.pipeline.start([name])
    site.release = release
    with run.faults.during(f"topology apply, {what}"):
        applied = site.manage("topology", "apply", **settings)
    if applied.returncode:
        run.seen.append(Violation(Kind.QUEUE, f"apply, {what}: {applied.stdout[-500:]}"))


def read_by_the_previous_release(
    run: Run, reader: Reader, messages: list[Any]
) -> Iterator[Violation]:
    """Violations where the previous release can't read what was published."""
    run.measured["messages read by the previous release"] = len(messages)
    unread = Counter(problem for message in messages for problem in reader.unreadable(message))
    for problem, times in unread.items():
        yield Violation(Kind.CONTRADICTION, f"the previous release can't read {problem} ({times})")
    heard = {message.properties.get("type") for message in messages}
    for type_ in HEARD:
        if type_ not in heard:
            yield Violation(Kind.LOST, f"the previous release has heard no {type_}")


def publish_as_the_next_release(run: Run) -> None:
    """A message to each service that no release here can read: a failed message each."""
    message_id = f"newer-{uuid.UUID(int=run.chance.getrandbits(128))}"
    run.bad_messages.append(message_id)
    message = amqp.Message(
        json.dumps({"orderId": "newer", "userId": 7, "currency": "EUR", "items": []}).encode(),
        content_type="application/json",
        type="order.placed",
        message_id=message_id,
        delivery_mode=2,
        application_headers={"schema-version": NEWER_VERSION},
    )
    publish_all(run, [(service, message) for service in RECORDS])


DRILL = Drill(
    name="rolling-upgrade",
    promises=(1, 6),
    promise="A release replaces another one while orders flow, and back, and nothing is lost",
    begins_with=previous_release,
    inject=upgrade,
    orders=600,
    traffic_seconds=60,
    own_site=True,
)
