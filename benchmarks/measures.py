"""What is measured of each contender; each measure starts it afresh and checks its effects."""

from __future__ import annotations

import http.client
import json
import random
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bson import ObjectId

from benchmarks.contender import Contender
from benchmarks.filling import fill_up
from benchmarks.how_much import Scale
from benchmarks.load_generator import percentile_ms
from benchmarks.rush import load, rush
from benchmarks.services import Services
from benchmarks.system import RunFailed, System, prepared, running
from benchmarks.workload import order_bodies

CONNECTIONS = 32
POLL_SECONDS = 0.002

Result = Any


def post(contender: Contender, services: Services, logs: Path, scale: Scale) -> Result:
    """How many orders a second clients can place, over few and over many connections."""
    with running(contender, services, logs) as system:
        warm_up(system, services, scale)
        rushes = [
            asdict(rush(system, services, connections, orders, scale.load_seconds))
            for connections, orders in scale.post
        ]
        system.check()
    return rushes


def end_to_end(contender: Contender, services: Services, logs: Path, scale: Scale) -> Result:
    """From the first POST to the last effect, and what it costs in CPU and memory."""
    with running(contender, services, logs) as system:
        warm_up(system, services, scale)
        seen = rush(system, services, CONNECTIONS, scale.end_to_end_orders, scale.load_seconds)
        system.check()
    return asdict(seen)


def drain(contender: Contender, services: Services, logs: Path, scale: Scale) -> Result:
    """How fast orders leave the queues, where they waited for consumers to be started."""
    with prepared(contender, services, logs) as system:
        system.start_all_but_consumers()
        mark = system.mark()
        load(system, CONNECTIONS, scale.drain_orders, scale.load_seconds)
        for queue in ("inventory", "billing"):
            system.wait_until(partial(has_all, system, queue))
        system.start_consumers_without_waiting()
        system.wait_until(system.has_begun)
        started, done_before = time.perf_counter(), system.effects_since(mark)
        system.wait_for_effects(mark, system.placed)
        seconds = time.perf_counter() - started
        system.wait_for_confirmed(mark)
        system.check()
    drained = system.placed - done_before
    return {"orders": drained, "seconds": seconds, "orders_per_second": drained / seconds}


def has_all(system: System, queue: str) -> bool:
    """Tell whether every order that was placed waits in the queue."""
    return system.ground.queue(queue)[0] >= system.placed


def idle(contender: Contender, services: Services, logs: Path, scale: Scale) -> Result:
    """How long one order takes from its POST to its last effect while nothing else happens."""
    with running(contender, services, logs) as system:
        warm_up(system, services, scale)
        latencies = [one_order(system, body) for body in order_bodies(scale.idle_orders, seed=0)]
        system.check()
    return {
        "orders": len(latencies),
        "p50_ms": percentile_ms(latencies, 50),
        "p99_ms": percentile_ms(latencies, 99),
    }


def one_order(system: System, body: bytes) -> float:
    """Place one order and return the seconds until its last effect."""
    # Where in the pollers' cycles it arrives is left to chance, as it is for a customer.
    time.sleep(random.uniform(0.02, 0.1))
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", system.port)
    authorization = {"Authorization": f"Bearer {system.key}"} if system.key else {}
    headers = {"Content-Type": "application/json", **authorization}
    connection.request("POST", "/orders", body, headers)
    response = connection.getresponse()
    if response.status != 201:
        raise RunFailed(f"A single order was answered with HTTP {response.status}.")
    order_id = ObjectId(json.load(response)["order"]["orderId"])
    system.placed += 1
    is_done = system.contender.is_done
    system.wait_until(lambda: is_done(system.ground.database, order_id), pause=POLL_SECONDS)
    connection.close()
    return time.perf_counter() - started


def growth(contender: Contender, services: Services, logs: Path, scale: Scale) -> Result:
    """The same rush beside few and many stored orders, and with one and several workers."""
    grown: dict[str, Any] = {"stored": {}, "copies": {}}
    few, many = scale.growth_stored
    with running(contender, services, logs) as system:
        rush(system, services, CONNECTIONS, few, scale.load_seconds)
        for stored in (few, many):
            fill_up(system.ground.database, stored)
            grown["stored"][stored] = one_rush(system, services, scale)
        system.check()
    for copies in scale.growth_copies:
        with running(contender, services, logs, copies) as system:
            warm_up(system, services, scale)
            grown["copies"][copies] = one_rush(system, services, scale)
            system.check()
    return grown


def one_rush(system: System, services: Services, scale: Scale) -> dict[str, Any]:
    return asdict(rush(system, services, CONNECTIONS, scale.growth_orders, scale.load_seconds))


def warm_up(system: System, services: Services, scale: Scale) -> None:
    """Let every process do its first work, so that it is not measured."""
    rush(system, services, CONNECTIONS, scale.warm_up_orders, scale.load_seconds)


MEASURES = {each.__name__: each for each in (post, end_to_end, drain, idle, growth)}
