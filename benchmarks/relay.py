"""How fast do orders leave the outbox, against what RabbitMQ takes from one process at all?

    python -m benchmarks.relay

The orders are placed while no relay runs; the clock runs from the first event that leaves the
outbox to the last. One and two relays alternate with a process that only publishes, each message
as durable; medians are over the rounds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from benchmarks import limits
from benchmarks.contender import Command, Document
from benchmarks.installing import LOCAL
from benchmarks.ours import Ours
from benchmarks.rush import load
from benchmarks.services import Services, running_services
from benchmarks.system import System, prepared
from localservices.run import end_on_signals

ORDERS = 10_000
ROUNDS = 3
CONNECTIONS = 32
LOAD_SECONDS = 120
RELAYS = (1, 2)
PENDING: Document = {"pending_since": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}


class WebAndRelay(Ours):
    """Nobody else; the relay counts as a consumer, of the outbox, so that it is started last."""

    def commands(self) -> Mapping[str, Command]:
        every = super().commands()
        return {"web": every["web"], "relay": replace(every["relay"], consumes="outbox")}


def main() -> int:
    """Measure and print events a second, and the ratio to the limit."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.relay", description=__doc__)
    asked.add_argument("--orders", type=int, default=ORDERS, help="in each round; %(default)s")
    asked.add_argument("--rounds", type=int, default=ROUNDS, help="default %(default)s")
    options = asked.parse_args()
    end_on_signals()
    of_relays: dict[int, list[float]] = {relays: [] for relays in RELAYS}
    of_limit: list[float] = []
    with running_services() as services:
        for number in range(1, options.rounds + 1):
            of_limit.append(limit(services, options.orders))
            print(f"round {number}, publishing alone: {of_limit[-1]:,.0f} messages/s", flush=True)
            for relays, measured in of_relays.items():
                measured.append(leave(services, relays, options.orders))
                print(
                    f"round {number}, {relays} relay(s): {measured[-1]:,.0f} events/s", flush=True
                )
    for relays, measured in of_relays.items():
        rate = median(measured)
        share = rate / median(of_limit)
        print(f"{relays} relay(s): {rate:,.0f} events/s, {share:.2f} of publishing alone")
    return 0


def limit(services: Services, messages: int) -> float:
    with services.ground() as ground, ground.broker() as connection:
        channel = connection.channel()
        limits.declare(channel)
        return limits.publish(channel, messages)


def leave(services: Services, relays: int, orders: int) -> float:
    """Place the orders, start the relays, and return how many events left the outbox a second."""
    with prepared(WebAndRelay(), services, LOCAL / "logs", copies=relays) as system:
        system.start_all_but_consumers()
        load(system, CONNECTIONS, orders, LOAD_SECONDS)
        system.start_consumers_without_waiting()
        system.wait_until(lambda: pending(system) < system.placed)
        started, left_before = time.perf_counter(), system.placed - pending(system)
        system.wait_until(lambda: not pending(system))
        seconds = time.perf_counter() - started
        for queue in ("inventory", "billing"):
            assert system.ground.queue(queue)[0] >= system.placed, f"{queue} lacks orders"
        return (system.placed - left_before) / seconds


def pending(system: System) -> int:
    return system.ground.database["orders"].count_documents(PENDING)


if __name__ == "__main__":
    sys.exit(main())
