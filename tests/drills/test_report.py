"""What a run leaves behind: how long the recovery took, and a picture of it."""

from __future__ import annotations

import random
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime

from drills.checks.evidence import Evidence
from drills.checks.recovery import not_answered, recovery_seconds
from drills.fault import Faults
from drills.report.picture import picture
from drills.traffic.history import Exchange
from drills.traffic.plan import Intention, intentions
from drills.traffic.stock import Stock
from drills.violation import Kind

#: When the last fault ended.
FIXED = float(int(time.time()))


def at(seconds: float) -> datetime:
    """So many seconds after everything was fixed, as MongoDB tells it: without a zone."""
    return datetime.fromtimestamp(FIXED + seconds, UTC).replace(tzinfo=None)


def answered(seconds: float, status: int | None = 201) -> Exchange:
    return Exchange(1, "order", 101, "key", {}, FIXED + seconds - 0.1, 0.1, status)


def evidence() -> Evidence:
    """One order placed before the end of the fault and one after it."""
    return Evidence(
        exchanges=[answered(-3), answered(0.5)],
        put_in={},
        orders=[{"_id": "held-up", "created_at": at(-3)}, {"_id": "later", "created_at": at(0.5)}],
        reservations=[
            {"_id": "held-up", "created_at": at(-1)},
            {"_id": "later", "created_at": at(9)},
        ],
        invoices=[{"_id": "held-up", "created_at": at(4)}, {"_id": "later", "created_at": at(9)}],
    )


def test_recovery_ends_with_the_last_outcome_of_what_was_held_up() -> None:
    assert recovery_seconds(evidence(), FIXED) == 4.0


def test_recovery_ends_not_before_a_new_order_is_answered() -> None:
    slow = replace(evidence(), exchanges=[answered(1, status=503), answered(6.5)])

    assert recovery_seconds(slow, FIXED) == 6.5


def test_a_site_that_takes_no_order_any_more_has_not_recovered() -> None:
    silent = replace(evidence(), exchanges=[answered(-3), answered(1, status=503)])

    [violation] = not_answered(silent, FIXED)

    assert violation.kind == Kind.RECOVERY
    assert [*not_answered(evidence(), FIXED)] == []


def test_what_held_up_nothing_needed_no_recovery() -> None:
    calm = replace(evidence(), exchanges=[answered(-3)], invoices=[])

    assert recovery_seconds(calm, FIXED) == 0


def test_the_picture_names_what_was_broken() -> None:
    faults = Faults()
    with faults.during("kill -9 of <billing>"):
        pass

    drawn = ElementTree.fromstring(picture("worker-kills", evidence(), faults))

    texts = ["".join(each.itertext()) for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "worker-kills: kill -9 of <billing>" in texts
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))) == 3


def test_a_run_of_which_nothing_was_seen_has_a_picture_too() -> None:
    nothing = picture("worker-kills", Evidence([], {}), Faults())

    assert ElementTree.fromstring(nothing).get("aria-label") == "worker-kills"


def test_the_same_seed_intends_the_same() -> None:
    stock = Stock({"plenty-1": 100, "plenty-2": 100, "plenty-3": 90, "plenty-4": 80, "scarce": 5})

    def intended(seed: int) -> list[Intention]:
        return list(intentions(range(1, 200), 5, stock, random.Random(seed)))

    assert intended(1) == intended(1)
    assert intended(1) != intended(2)
    kinds = intended(1)
    assert {True, False} == {each.is_valid for each in kinds} == {each.cancel for each in kinds}
    assert any(each.key is None for each in kinds)
