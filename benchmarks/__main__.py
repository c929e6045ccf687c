"""`make bench`: measures the pipeline beside its peers, and writes down the results.

The results of a full session without a fault go to benchmarks/results/ and docs/performance.md;
those of a quick or partial one to .local/bench/ and the terminal. A session that was interrupted
goes on when the same is asked for again, at the same revision.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import unfinished
from benchmarks.chart import chart
from benchmarks.contenders import CONTENDERS
from benchmarks.figures import failures
from benchmarks.how_much import FULL, QUICK
from benchmarks.installing import LOCAL
from benchmarks.report import tables, write_between_markers
from benchmarks.services import running_services
from benchmarks.session import ALL_MEASURES, new_results, session, steps_of
from localservices.pipeline import ROOT
from localservices.run import end_on_signals

RESULTS = Path(__file__).parent / "results"
DOCUMENT = ROOT / "docs" / "performance.md"


def main() -> int:
    """Measure what the command line asks for; returns the exit code."""
    asked = read_arguments()
    scale = QUICK if asked.quick else FULL
    scale = replace(scale, rounds=asked.rounds or scale.rounds)
    contenders = [CONTENDERS[name] for name in asked.contender or CONTENDERS]
    for contender in contenders:
        contender.install()
    end_on_signals()
    measures = asked.only or ALL_MEASURES
    results = unfinished.begun(new_results(contenders, measures, scale))
    if results["runs"]:
        print(f"Going on with the session of {results['taken_at']}.", flush=True)
    steps = steps_of(contenders, measures, scale.rounds)
    with running_services() as services:
        for _ in session(services, steps, scale, LOCAL / "logs", results["runs"]):
            unfinished.save(results)
    is_whole = not (asked.quick or asked.contender or asked.only or asked.rounds)
    failed = failures(results)
    write(results, is_full=is_whole and not failed)
    unfinished.end()
    print(*failed, sep="\n", file=sys.stderr)
    return 1 if failed else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes, to see that it works")
    parser.add_argument(
        "--contender", action="append", choices=CONTENDERS, help="only this one; repeatable"
    )
    parser.add_argument(
        "--only", action="append", choices=ALL_MEASURES, help="only this measure; repeatable"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each is measured; a result is the median"
    )
    return parser.parse_args()


#: The chart, as docs/performance.md shows it.
PICTURE = "![The pipeline beside its peers](../benchmarks/results/chart.svg)"


def write(results: dict[str, Any], is_full: bool) -> None:
    """Save the results and their chart, and print the tables; a full session's go into the docs."""
    folder = RESULTS if is_full else LOCAL
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{results['taken_at'][:16].replace(':', '')}.json"
    file.write_text(json.dumps(results, indent=1) + "\n")
    (folder / "chart.svg").write_text(chart(results))
    text = tables(results)
    print(f"\n{text}\n\nSaved as {file} and {folder / 'chart.svg'}.")
    if is_full:
        write_between_markers(DOCUMENT, f"{PICTURE}\n\n{text}")
        print(f"Wrote the tables into {DOCUMENT}.")


if __name__ == "__main__":
    sys.exit(main())
