"""How fast do orders leave the queues with the service `webhooks` off, and on?

    python -m benchmarks.webhooks

No endpoint listens: each order brings it five messages of which nothing comes but the note that it
heard of the order. Off and on alternate; medians are over the rounds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from benchmarks.contender import Command
from benchmarks.how_much import FULL
from benchmarks.installing import LOCAL
from benchmarks.measures import drain
from benchmarks.ours import Ours, command
from benchmarks.services import running_services
from localservices.pipeline import ROOT, lines_of, own_procfile
from localservices.run import end_on_signals


class WithWebhooks(Ours):
    """As with WEBHOOKS=true."""

    name = "with_webhooks"
    title = "this pipeline, with webhooks"
    environment = {**Ours.environment, "WEBHOOKS": "true"}

    def commands(self) -> Mapping[str, Command]:
        own = lines_of(own_procfile(ROOT, "webhooks"))
        return {**super().commands(), **{name: command(line) for name, line in own.items()}}


def main() -> int:
    """Measure, and print what is left of the rate."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    asked.add_argument("--orders", type=int, default=FULL.drain_orders, help="default %(default)s")
    asked.add_argument("--rounds", type=int, default=FULL.rounds, help="default %(default)s")
    options = asked.parse_args()
    end_on_signals()
    scale = replace(FULL, drain_orders=options.orders)
    rates: dict[str, list[float]] = {"off": [], "on": []}
    with running_services() as services:
        for number in range(1, options.rounds + 1):
            for state, contender in (("off", Ours()), ("on", WithWebhooks())):
                drained = drain(contender, services, LOCAL / "logs", scale)
                rates[state].append(drained["orders_per_second"])
                print(f"round {number}, {state}: {rates[state][-1]:,.0f} orders/s", flush=True)
    off, on = (median(rates[state]) for state in ("off", "on"))
    print(f"off {off:,.0f} orders/s, on {on:,.0f}: {on / off:.2f} of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
