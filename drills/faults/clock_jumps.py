"""The wall clocks of the pipeline's processes jump, one's or everybody's, forward and back."""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.evidence import get
from drills.checks.invariant import RECORDS
from drills.drill import Drill
from drills.faults.planted import plant_faults, remove_faults
from drills.run import Run
from drills.traffic.clients import Client
from drills.traffic.history import Exchange
from drills.traffic.placed import order_ids
from drills.traffic.plan import Intention
from drills.traffic.warehouse import ship_some
from drills.violation import Violation
from drills.waiting import wait_until
from localservices.wall_clock import WallClock

HOUR_SECONDS = 3_600
#: An idempotency key is forgotten after 24 hours: by a clock alone it must not be.
JUMPS_SECONDS = (-25 * HOUR_SECONDS, -HOUR_SECONDS, HOUR_SECONDS, 25 * HOUR_SECONDS)
JUMPS = 4
#: Every periodic job that the drill waits for runs each few seconds.
PUBLISHED_SECONDS = 60
READY_SECONDS = 60
#: Without one order more that has its answer.
RECOVERY_SECONDS = 60
REPEATED_REQUESTS = 3
EVERYBODY = "all processes"


def give_clocks(run: Run) -> None:
    """Start every process again, with a wall clock of its own."""
    pipeline = run.site.pipeline
    run.folder.mkdir(parents=True, exist_ok=True)
    pipeline.stop()
    for name, process in pipeline.processes.items():
        run.clocks[name] = WallClock(run.folder / f"{name}.clock")
        process.env = {**(process.env or {}), **run.clocks[name].environment}
    pipeline.start()
    run.note_processes()


def jump(run: Run) -> None:
    """One after the other; who has jumped stays there with every second of them."""
    plant_faults(run, "billing")
    victims = [EVERYBODY, "scheduler", "web"]
    others = sorted({*run.clocks} - {*victims})
    victims = [*victims, *run.chance.sample(others, JUMPS - len(victims))]
    run.chance.shuffle(victims)
    run.wait(1, 2)
    for number, victim in enumerate(victims):
        seconds = run.chance.choice(JUMPS_SECONDS)
        with run.faults.during(f"clock of {victim} {seconds / HOUR_SECONDS:+g} h"):
            set_clocks(run, victim, seconds)
            see_that_it_goes_on(run)
            if number % 2:
                set_clocks(run, EVERYBODY, 0)
        if number == JUMPS // 2:
            remove_faults(run)
    placed = {*order_ids(run.site.database, run.users)}
    run.recovered_in = wait_until(
        lambda: not unanswered(run, placed),
        RECOVERY_SECONDS,
        "Answering every order",
        left=lambda: unanswered(run, placed),
    )


def set_clocks(run: Run, victim: str, seconds: float) -> None:
    clocks = run.clocks.values() if victim == EVERYBODY else [run.clocks[victim]]
    WallClock.set_together(clocks, seconds)


def see_that_it_goes_on(run: Run) -> None:
    """Shipments are published by the scheduler, keys are remembered by web, nobody is missed."""
    run.seen += ship_some(run.site, run.users, run.chance)
    took = wait_until(lambda: is_published(run), PUBLISHED_SECONDS, "Publishing shipments")
    most = "shipments published in s, at most"
    run.measured[most] = round(max(took, run.measured.get(most, 0)), 2)
    repeat(run)
    wait_until(lambda: is_ready(run), READY_SECONDS, "Being ready")


def is_published(run: Run) -> bool:
    """Whether no shipment waits for the scheduler."""
    waiting = {"state": "shipped", "pending_since": {"$exists": True, "$ne": None}}
    return run.site.database["reservations"].find_one(waiting) is None


def repeat(run: Run) -> None:
    """Some clients ask again under their keys, however old these are by any clock."""
    answered = [each for each in run.history if each.kind == "order" and each.status == 201]
    keyed = [each for each in answered if each.key]
    client = Client(run.site.web_port, run.history)
    for exchange in run.chance.sample(keyed, min(REPEATED_REQUESTS, len(keyed))):
        client.carry_out(intention_of(exchange))


def intention_of(exchange: Exchange) -> Intention:
    return Intention(exchange.number, exchange.user_id, exchange.body, exchange.key)


def is_ready(run: Run) -> bool:
    """As a load balancer asks."""
    try:
        return bool(get(run.site, "/health/ready")["status"] == "ready")
    except Exception:
        return False


def unanswered(run: Run, placed: set[str]) -> int:
    """How many outcomes of these orders the services have yet to record."""
    return sum(len(placed - outcomes(run, service)) for service in RECORDS)


def outcomes(run: Run, service: str) -> set[str]:
    """The orders that the service has recorded, or failed with."""
    database = run.site.database
    recorded = database[RECORDS[service]].distinct("_id")
    failed = database["failed_messages"].distinct("order_id", {"service": service})
    return {*recorded, *failed}


def everybody_lives(run: Run) -> Iterator[Violation]:
    """A jump ends no process."""
    yield from run.deaths()


DRILL = Drill(
    name="clock-jumps",
    promises=(1, 2, 3, 8),
    promise="Wall clocks that are wrong delay nothing, lose nothing and do nothing twice",
    prepare=give_clocks,
    inject=jump,
    check=everybody_lives,
    traffic_seconds=20,
    own_site=True,
    dates_tell_nothing=True,
)
