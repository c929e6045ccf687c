"""One run of a drill: orders flow, something breaks, quiet returns, and everything is checked."""

from __future__ import annotations

import json
import random
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from drills.checks.evidence import Evidence, gather
from drills.checks.invariant import violations
from drills.checks.recovery import not_answered, recovery_seconds
from drills.cluster.rabbitmq_cluster import STALE_SECONDS
from drills.cluster.site import Site
from drills.drill import Drill
from drills.fault import Faults
from drills.report.picture import picture
from drills.report.result import Result, commit, now
from drills.traffic.clients import Traffic
from drills.traffic.history import History
from drills.traffic.plan import intentions
from drills.traffic.stock import put_in
from drills.traffic.warehouse import ship_some
from drills.violation import Kind, Violation
from drills.waiting import TookTooLong, lasting, wait_until
from localservices.wall_clock import WallClock

#: How long what waits may stay as much as it is, after everything was fixed.
QUIET_SECONDS = 120
#: How long it may take until nothing is wrong.
SETTLED_SECONDS = 300
#: More than can wait.
NOBODY_ANSWERS = 2**31
POLL_SECONDS = 0.5
#: Before any document.
EPOCH = datetime.fromtimestamp(0, UTC)
#: Traffic that goes on ends so long after everything was fixed …
AFTER_SECONDS = 2.0
#: … or after so long.
LONGEST_SECONDS = 600


class Run:
    """What a drill has at hand while it breaks things."""

    def __init__(self, drill: Drill, seed: int, orders: int, site: Site) -> None:
        self.drill = drill
        self.seed = seed
        self.site = site
        self.since = EPOCH if drill.dates_tell_nothing else datetime.now(UTC)
        #: Decides everything that is left to chance.
        self.chance = random.Random(f"{drill.name} {seed}")
        self.faults = Faults()
        self.folder = site.folder / drill.name / f"seed-{seed}"
        self.history = History(self.folder / "history.jsonl")
        # No other run on this site has its users and SKUs.
        first_user = int(time.time() * 1_000_000)
        per_second = orders / drill.traffic_seconds
        most = max(orders, round(per_second * LONGEST_SECONDS)) if drill.goes_on else orders
        #: Those who want an order, in turn, until the traffic ends.
        self.users = range(first_user, first_user + most)
        self.stock = put_in(site.database, f"{drill.name}-{first_user}", self.chance)
        #: Ids of messages that nobody can handle: each is to end as a failed message.
        self.bad_messages: list[str] = []
        #: By service, users for whom a drill makes it fail: its messages of their orders may fail.
        self.failing_users: defaultdict[str, set[int]] = defaultdict(set)
        #: Orders that a restored backup lacked, with their users.
        self.lacking: dict[str, int] = {}
        #: What a drill finds wrong while it breaks things.
        self.seen: list[Violation] = []
        #: What a drill has measured, for the report, by what it is with its unit.
        self.measured: dict[str, float] = {}
        #: The wall clocks of processes, where a drill gives them some.
        self.clocks: dict[str, WallClock] = {}
        #: When the queues of a next release were declared, where a drill has one.
        self.declared_at = EPOCH
        #: How long recovery took, where documents do not tell.
        self.recovered_in: float | None = None
        self.note_processes()
        plan = intentions(self.users, per_second, self.stock, self.chance)
        self.traffic = Traffic(site.web_port, plan, self.history, least=orders)

    def wait(self, least_seconds: float, most_seconds: float) -> None:
        """Wait for a random time."""
        time.sleep(self.chance.uniform(least_seconds, most_seconds))

    def kill(self, name: str) -> None:
        """`kill -9` of a process: its main process alone, or all of its processes at once."""
        if self.chance.random() < 0.5:
            self.site.pipeline.kill_main_process(name)
        else:
            self.site.pipeline[name].kill()

    def note_processes(self) -> None:
        """Those that run now are the ones whose deaths would be told."""
        self._pids = self.site.pipeline.pids()

    def deaths(self) -> Iterator[Violation]:
        """Processes that ended, or were started again, in a drill that ends none."""
        for name, pid in self._pids.items():
            if self.site.pipeline.pids().get(name) != pid:
                yield Violation(Kind.RECOVERY, f"{name} has died")

    def evidence(self) -> Evidence:
        return gather(
            self.site,
            self.history,
            self.stock.put_in,
            since=self.since,
            bad_messages=self.bad_messages,
            failing_users=self.failing_users,
            lacking=self.lacking,
        )


def carry_out(run: Run) -> Result:
    """Let it happen, and leave its history, report and picture in the run's folder."""
    started = time.monotonic()
    run.drill.prepare(run)
    run.traffic.start()
    not_recovered = [*broken_and_healed(run)]
    end_traffic(run)
    not_recovered += shipped(run)
    evidence, wrong = settled(run)
    if run.drill.goes_on and run.faults:
        wrong += not_answered(evidence, run.faults.ended_at)
    wrong += [*run.seen, *not_recovered]
    result = Result(
        drill=run.drill.name,
        seed=run.seed,
        commit=commit(),
        at=now(),
        orders=len({each.order_id for each in run.history if each.order_id}),
        requests=len(list(run.history)),
        faults=len(run.faults),
        lost=sum(each.kind == Kind.LOST for each in wrong),
        twice=sum(each.kind == Kind.TWICE for each in wrong),
        violations=[f"{each.kind}: {each.what}" for each in wrong],
        recovery_seconds=took_to_recover(run, evidence),
        seconds=round(time.monotonic() - started, 1),
        injected=[fault.what for fault in run.faults],
        measured=run.measured,
    )
    write_down(run, evidence, result)
    return result


def took_to_recover(run: Run, evidence: Evidence) -> float:
    if run.drill.dates_tell_nothing:
        # One that did not recover has said so.
        return round(run.recovered_in or 0.0, 2)
    return recovery_seconds(evidence, run.faults.ended_at)


def broken_and_healed(run: Run) -> Iterator[Violation]:
    """Let the drill break things, then fix everything; what did not come back is a violation."""
    for act in (lambda: run.drill.inject(run), run.site.heal):
        try:
            act()
        except Exception as error:
            traceback.print_exc()
            yield Violation(Kind.RECOVERY, in_words(error))


def shipped(run: Run) -> Iterator[Violation]:
    """Ship a few orders; what can't be is a violation."""
    try:
        yield from ship_some(run.site, run.users, run.chance)
    except Exception as error:
        traceback.print_exc()
        yield Violation(Kind.RECOVERY, in_words(error))


def in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def end_traffic(run: Run) -> None:
    """Let orders come for a moment after everything was fixed, where they go on for so long."""
    if run.drill.goes_on:
        time.sleep(AFTER_SECONDS)
        run.traffic.end()
    run.traffic.wait()


def settled(run: Run) -> tuple[Evidence, list[Violation]]:
    """Check until nothing is wrong any more, or until it should be quiet.

    Each check asks for every order, so there is none before all is quiet; and RabbitMQ's counts may
    be old, so that they have to stay zero for a while.
    """
    unrest = [*waited_for_quiet(run)]
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        evidence, wrong = examine(run)
        if not wrong or time.monotonic() > deadline:
            return evidence, unrest + wrong
        unrest += waited_for_quiet(run)


def waited_for_quiet(run: Run) -> Iterator[Violation]:
    """Wait until nothing waits anywhere; that this never comes is a violation."""
    try:
        wait_for_quiet(run)
    except TookTooLong as error:
        yield Violation(Kind.RECOVERY, str(error))


def wait_for_quiet(run: Run, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait until no message and no event waits anywhere, as long as they get fewer.

    Raises:
        TookTooLong: they did not for so long.
    """
    counted = NOBODY_ANSWERS

    def is_quiet() -> bool:
        nonlocal counted
        meanwhile()
        counted = waiting_now(run)
        return counted == 0

    wait_until(
        lasting(is_quiet, STALE_SECONDS),
        QUIET_SECONDS,
        "Coming to rest",
        pause=POLL_SECONDS,
        left=lambda: counted,
    )


def waiting_now(run: Run) -> int:
    """Whoever gives no answer is not quiet yet."""
    try:
        return run.site.waiting()
    except Exception:
        return NOBODY_ANSWERS


def examine(run: Run) -> tuple[Evidence, list[Violation]]:
    """What there is now, and what of it is wrong; that nobody answers is, too."""
    try:
        evidence = run.evidence()
        ended = [Violation(Kind.LOST, f"{name} has ended") for name in run.site.pipeline.ended()]
        return evidence, [*violations(evidence), *run.drill.check(run), *ended]
    except Exception as error:
        unseen = Evidence([*run.history], run.stock.put_in)
        return unseen, [Violation(Kind.RECOVERY, f"nothing can be checked: {in_words(error)}")]


def write_down(run: Run, evidence: Evidence, result: Result) -> None:
    """The report and the picture, beside the history."""
    report = asdict(result) | {"injected_when": [asdict(fault) for fault in run.faults]}
    (run.folder / "report.json").write_text(json.dumps(report, indent=2))
    (run.folder / "throughput.svg").write_text(picture(run.drill.name, evidence, run.faults))
