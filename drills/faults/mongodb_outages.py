"""MongoDB loses its primary, a member, or its majority."""

from __future__ import annotations

import time
from collections.abc import Iterator

from drills.drill import Drill
from drills.run import Run
from drills.violation import Kind, Violation
from localservices.service import start_together

MAJORITY_LOST_SECONDS = 20
#: A client that meets a lost database has its 503 by then, on a busy machine.
ANSWERED_WITHIN_SECONDS = 5.0


def lose_mongodb(run: Run) -> None:
    run.wait(1, 3)
    variants = (step_down, kill_primary, freeze_a_member, lose_the_majority)
    variants[run.seed % len(variants)](run)


def step_down(run: Run) -> None:
    """Twice, as a rolling maintenance does."""
    for _ in range(2):
        with run.faults.during("stepdown of the primary"):
            run.site.replica_set.step_down()
            run.site.replica_set.primary()
        run.wait(1, 2)


def kill_primary(run: Run) -> None:
    primary = run.site.replica_set.primary()
    with run.faults.during("kill -9 of the primary"):
        primary.kill()
        run.wait(0, 4)
        primary.start()


def freeze_a_member(run: Run) -> None:
    """SIGSTOP: its connections stay open and answer nothing."""
    primary = run.site.replica_set.primary()
    member = run.chance.choice([primary, *run.site.replica_set.members])
    what = "the primary" if member is primary else "a secondary"
    with run.faults.during(f"SIGSTOP of {what}"):
        member.freeze()
        run.wait(4, 10)
        member.thaw()


def lose_the_majority(run: Run) -> None:
    """Two of three members are gone, the primary perhaps among them."""
    members = run.chance.sample(run.site.replica_set.members, 2)
    with run.faults.during("kill -9 of two members"):
        for member in members:
            member.kill()
        lost_at = time.time()
        time.sleep(MAJORITY_LOST_SECONDS)
        if not any(each.status == 503 and each.at > lost_at for each in run.history):
            run.seen.append(Violation(Kind.ANSWER, "nobody was answered with 503 meanwhile"))
        start_together(members)


def answers_in_time(run: Run) -> Iterator[Violation]:
    """No client waits long for a 503, and each gets its answer."""
    for exchange in run.history:
        if exchange.status is None or exchange.seconds > ANSWERED_WITHIN_SECONDS:
            yield Violation(
                Kind.ANSWER,
                f"{exchange.kind} of user {exchange.user_id} was answered {exchange.status} "
                f"after {exchange.seconds:.1f} s",
            )


DRILL = Drill(
    name="mongodb-outages",
    promises=(1, 8),
    promise="The system recovers by itself from the loss of its database; a 503 comes in time",
    inject=lose_mongodb,
    check=answers_in_time,
)
