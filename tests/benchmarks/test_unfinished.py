"""A session that was broken off goes on where it was, if it still measures the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import unfinished
from benchmarks.contenders import CONTENDERS
from benchmarks.how_much import QUICK
from benchmarks.measures import MEASURES
from benchmarks.session import ALL_MEASURES, Step, new_results, session, steps_of

PEERS = list(CONTENDERS.values())
RUN = {"round": 1, "contender": "node", "measure": "post", "result": []}


def results(**changes: Any) -> dict[str, Any]:
    return {**new_results(PEERS, ALL_MEASURES, QUICK), "revision": "abc", **changes}


@pytest.mark.usefixtures("programs")
def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "unfinished.json"
    unfinished.save(results(runs=[RUN]), file)

    assert unfinished.begun(results(), file)["runs"] == [RUN]
    unfinished.end(file)
    assert unfinished.begun(results(), file)["runs"] == []


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    "changes",
    [{"revision": "def"}, {"revision": ""}, {"scale": {}}, {"contenders": {}}, {"measures": []}],
)
def test_another_session_begins_anew(tmp_path: Path, changes: dict[str, Any]) -> None:
    file = tmp_path / "unfinished.json"
    unfinished.save(results(runs=[RUN]), file)

    assert unfinished.begun(results(**changes), file)["runs"] == []


def test_contenders_alternate_at_each_measure_and_growth_is_last() -> None:
    steps = steps_of(PEERS, ALL_MEASURES, rounds=3)

    names = [step.contender and step.contender.name for step in steps]
    assert names[0] is None
    assert names[1:7] == ["ours", "node", "aio_pika", "faststream", "drf_celery", "dramatiq"]
    assert {step.measure for step in steps[1:7]} == {"post"}
    first = [step for step in steps if step.round == 1 and step.measure == "drain"]
    assert [step.contender for step in first] == PEERS
    second = [step for step in steps if step.round == 2 and step.measure == "drain"]
    assert [step.contender for step in second] == [*PEERS[1:], PEERS[0]]
    assert [step.measure for step in steps[-2:]] == ["growth"] * 2
    assert len(steps) == len({(step.round, step.measure, step.contender) for step in steps})


def test_each_contender_is_measured_where_it_takes_part() -> None:
    steps = steps_of(PEERS, ALL_MEASURES, rounds=1)

    of_whom = {
        name: [step.measure for step in steps if step.contender == contender]
        for name, contender in CONTENDERS.items()
    }

    assert of_whom["ours"] == of_whom["node"] == [*MEASURES]
    assert of_whom["without_status"] == ["end_to_end", "drain"]
    for peer in ("aio_pika", "faststream", "drf_celery", "dramatiq"):
        assert of_whom[peer] == [*MEASURES][:-1]


def test_no_step_is_taken_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setitem(MEASURES, "idle", lambda contender, *_: taken.append(contender.name))
    ours, another = (Step(1, contender, "idle") for contender in PEERS[:2])
    runs = [{**ours.key, "result": {}}]

    for _ in session(None, [ours, another], QUICK, tmp_path, runs):  # type: ignore[arg-type]
        pass

    assert taken == [PEERS[1].name]
    assert [run["contender"] for run in runs] == [PEERS[0].name, PEERS[1].name]
