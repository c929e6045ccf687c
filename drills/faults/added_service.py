"""A release that adds a service replaces one that knows nothing of it, while orders flow.

The new release is a copy of the checkout with a service that `manage.py startservice` made, rolled
out as docs/adding-a-service.md says: database and queues first, then the processes that there are,
then the new service's worker.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from drills.checks.invariant import RECORDS
from drills.cluster.checkout import copy_to, start_service
from drills.cluster.release import Release
from drills.cluster.replica_set import Document
from drills.drill import Drill
from drills.run import Run
from drills.traffic.placed import of_users, order_ids
from drills.violation import Kind, Violation
from drills.waiting import wait_until
from localservices.pipeline import procfile

NAME = "shipping"
LISTENS = "order.confirmed"
STATE = "announced"
#: What the pipeline may need for that on a busy machine.
CONFIRMED_SECONDS = 120
ORDERS_BEFORE = 10


def make_next_release(run: Run) -> None:
    shutil.rmtree(next_release(run), ignore_errors=True)
    start_service(copy_to(next_release(run)), NAME, f"{LISTENS}:{STATE}")


def next_release(run: Run) -> Path:
    return run.folder / "next-release"


def upgrade(run: Run) -> None:
    site, release = run.site, Release(next_release(run))
    wait_until(lambda: len(confirmed(run)) >= ORDERS_BEFORE, CONFIRMED_SECONDS, "First orders")
    names = [*site.pipeline.processes]
    run.chance.shuffle(names)
    with run.faults.during(f"processes of two releases, the next one with {NAME}"):
        run.measured["orders confirmed before"] = len(confirmed(run))
        site.release = release
        for arguments in (("migrate", "--verbosity", "0"), ("declare_topology",)):
            site.manage(*arguments).check_returncode()
        run.declared_at = datetime.now(UTC)
        for name in names:
            site.pipeline.stop([name])
            site.pipeline.become(name, release)
            site.pipeline.start([name])
            run.wait(0, 0.5)
        site.pipeline.add(NAME, procfile(release.root)[NAME], like="billing-1", cwd=release.root)
        site.pipeline.start([NAME])


def confirmed(run: Run) -> list[str]:
    return order_ids(run.site.database, run.users, status={"$in": ["confirmed", "shipped"]})


def all_that_have_to_be_are_announced(run: Run) -> Iterator[Violation]:
    """Every order that the service may have heard of, and none that it did not."""
    found = run.site.database["orders"].find(of_users(run.users))
    announced = 0
    for order in found:
        entry = order["ledger"].get(NAME)
        announced += entry is not None and entry["state"] == STATE
        if must_be_announced(run, order) and (entry is None or entry["state"] != STATE):
            yield Violation(Kind.LOST, f"{NAME} never announced {order['_id']}: {entry}")
        if owed := order.get("awaited"):
            yield Violation(Kind.LOST, f"{order['_id']} still waits for {owed}")
    run.measured["orders announced"] = announced
    if not announced:
        yield Violation(Kind.LOST, f"{NAME} announced no order")
    lines = run.evidence().conservation.get("lines", [])
    if NAME not in {line["service"] for line in lines}:
        yield Violation(Kind.CONSERVATION, f"no account of {NAME}: {lines}")


def must_be_announced(run: Run, order: Document) -> bool:
    """Whether it was confirmed when the new queue was bound."""
    steps = [step["at"] for step in order.get("steps") or () if step["service"] in RECORDS]
    is_confirmed = order["status"] in ("confirmed", "shipped") and bool(steps)
    return is_confirmed and max(steps).replace(tzinfo=UTC) > run.declared_at


DRILL = Drill(
    name="added-service",
    promises=(1, 6),
    promise="A release that adds a service replaces another one, and each order continues",
    prepare=make_next_release,
    inject=upgrade,
    check=all_that_have_to_be_are_announced,
    orders=600,
    traffic_seconds=60,
    own_site=True,
)
