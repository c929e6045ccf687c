"""`make drills`: breaks what can break while orders flow, and checks every order.

Each run leaves its history, report and picture in .local/drills/; `--record` adds it to
drills/results.jsonl, from which the table in docs/reliability.md is written.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from itertools import product
from pathlib import Path

from drills.cluster.site import LOCAL, Sites, sites
from drills.drill import Drill
from drills.faults import DRILLS
from drills.report import table
from drills.report.result import RECORDED, Result, append, crashed, read
from drills.run import Run, carry_out
from localservices.run import end_on_signals


def main() -> int:
    """Returns 0 if every promise was kept in every run."""
    asked = arguments()
    end_on_signals()
    drills = DRILLS if asked.all else [drill for drill in DRILLS if drill.name == asked.name]
    seeds = range(asked.seed, asked.seed + asked.runs)
    files = [LOCAL / "results.jsonl", *([RECORDED] if asked.record else [])]
    print("Starting a replica set of three members and a cluster of three nodes …", flush=True)
    results = []
    try:
        with sites() as running:
            for seed, drill in product(seeds, drills):
                orders = asked.orders or drill.orders
                results.append(one_run(running, drill, seed, orders, files))
    finally:
        if asked.record:
            table.write(DRILLS, read(RECORDED))
        print(f"\n{table.table(drills, results)}")
    return 0 if all(result.is_right for result in results) else 1


def one_run(running: Sites, drill: Drill, seed: int, orders: int, files: list[Path]) -> Result:
    """Carry it out and tell how it went; after a run that failed the next one begins afresh."""
    started = time.monotonic()
    if drill.own_site:
        running.abandon()
    try:
        result = carry_out(Run(drill, seed, orders, running.current(drill.begins_with())))
    except Exception as error:
        traceback.print_exc()
        result = crashed(drill.name, seed, error, time.monotonic() - started)
    for file in files:
        append(result, file)
    print(in_words(result), flush=True)
    if drill.own_site or not result.is_right:
        running.abandon()
    return result


def in_words(result: Result) -> str:
    line = (
        f"{result.drill} seed {result.seed}: {result.orders} orders, {result.faults} faults, "
        f"lost {result.lost}, twice {result.twice}, recovered in {result.recovery_seconds:g} s, "
        f"{result.seconds:g} s in all"
    )
    return "\n  ".join([line, *result.violations[:20]])


def arguments() -> argparse.Namespace:
    names = [drill.name for drill in DRILLS]
    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    parser.add_argument("name", nargs="?", choices=names, help="one drill")
    parser.add_argument("--all", action="store_true", help="every drill")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; default %(default)s")
    parser.add_argument(
        "--runs",
        type=int,
        default=1,
        help="how many runs of each drill, with one seed after another; default %(default)s",
    )
    parser.add_argument(
        "--orders", type=int, help="how many orders a run places; default: as the drill says"
    )
    parser.add_argument(
        "--record", action="store_true", help="add the runs to the table in docs/reliability.md"
    )
    asked = parser.parse_args()
    if bool(asked.name) == asked.all:
        parser.error(f"name one drill, or say --all: {', '.join(names)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
