"""A short set of the drills, one seed each; `make drills` has the whole.

Where one fails, its report says what was wrong with which order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from drills.checks.invariant import violations
from drills.cluster.site import Site, sites
from drills.fault import Faults, Missed
from drills.faults import DRILLS
from drills.run import Run, carry_out
from drills.violation import Kind

ORDERS = 60
TRAFFIC_SECONDS = 4

#: By drill, a seed for what tells most.
SEEDS = {
    "worker-kills": 1,
    "process-kills": 1,
    "rabbitmq-kills": 1,  # the leader of a queue
    "mongodb-outages": 1,  # kill -9 of the primary
    "network-faults": 1,
}


@pytest.fixture(scope="module")
def site(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both clusters, with a pipeline that outlives all the drills."""
    with sites(tmp_path_factory.mktemp("drills")) as running:
        yield running.current()


def short(name: str, seed: int, site: Site) -> Run:
    drill = next(drill for drill in DRILLS if drill.name == name)
    return Run(replace(drill, traffic_seconds=TRAFFIC_SECONDS), seed, ORDERS, site)


def test_what_missed_its_moment_is_not_a_fault() -> None:
    faults = Faults()
    with faults.during("kill -9 of a worker"):
        pass
    with pytest.raises(Missed), faults.during("kill -9 of the relay"):
        raise Missed

    assert [fault.what for fault in faults] == ["kill -9 of a worker"]


@pytest.mark.parametrize(("name", "seed"), SEEDS.items())
def test_the_promises_are_kept(site: Site, name: str, seed: int) -> None:
    result = carry_out(short(name, seed, site))

    assert result.violations == []
    assert result.faults > 0
    assert result.orders > ORDERS / 2


def test_a_drill_that_breaks_off_is_a_violation_and_its_orders_are_checked(site: Site) -> None:
    def break_off(run: Run) -> None:
        with run.faults.during("something"):
            raise AutoReconnect("connection closed")

    result = carry_out(Run(replace(DRILLS[0], name="breaks-off", inject=break_off), 1, 20, site))

    assert result.violations == ["recovery: AutoReconnect: connection closed"]
    assert result.orders > 10


def test_what_is_taken_away_behind_the_pipelines_back_is_missed(site: Site) -> None:
    """
    Given a run with nothing wrong
    When an invoice, an order and a reserved unit vanish from the database, and an invoice comes up
    Then the checker names each.
    """
    calm = replace(DRILLS[0], name="calm", inject=lambda run: None, traffic_seconds=1)
    run = Run(calm, 1, 30, site)
    assert carry_out(run).violations == []
    confirmed = [order for order in run.evidence().orders if order["status"] == "confirmed"]

    database = site.database
    database["invoices"].delete_one({"_id": str(confirmed[0]["_id"])})
    database["orders"].delete_one({"_id": confirmed[1]["_id"]})
    again = {**run.evidence().invoices[0], "_id": str(ObjectId()), "number": None}
    database["invoices"].insert_one(again)
    database["products"].update_one({"sku": run.stock.plenty[0]}, {"$inc": {"reserved": -1}})

    found = violations(run.evidence())
    lost = [each.what for each in found if each.kind == Kind.LOST]
    assert any(str(confirmed[0]["_id"]) in what for what in lost)
    assert any(str(confirmed[1]["_id"]) in what for what in lost)
    assert any(again["_id"] in each.what for each in found if each.kind == Kind.TWICE)
    assert any(run.stock.plenty[0] in each.what for each in found if each.kind == Kind.STOCK)
