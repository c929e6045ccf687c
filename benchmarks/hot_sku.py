"""Do two inventory workers drain a load on one SKU at least as fast as one?

    python -m benchmarks.hot_sku

All orders want the same SKU, so that every transaction writes the same product: the worst case for
several workers. The orders wait in the queue before the workers start; the clock runs from the
first reservation to the last. One and two workers alternate; medians are over the rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from statistics import median
from typing import Any

import amqp
from bson import Decimal128, ObjectId

from benchmarks.installing import LOCAL
from benchmarks.ours import Ours
from benchmarks.services import Ground, Services, running_services
from localservices.pipeline import ROOT, process_environment, procfile
from localservices.process import Process
from localservices.run import end_on_signals

ORDERS = 10_000
ROUNDS = 3
#: A run that takes longer has failed.
MAX_SECONDS = 180
POLL_SECONDS = 0.02
SKU = "hot"


def main() -> int:
    """Measure and print the ratio; the exit code is 1 if two workers are slower."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.hot_sku", description=__doc__)
    asked.add_argument("--orders", type=int, default=ORDERS, help="in each round; %(default)s")
    asked.add_argument("--rounds", type=int, default=ROUNDS, help="default %(default)s")
    options = asked.parse_args()
    end_on_signals()
    rates: dict[int, list[float]] = {1: [], 2: []}
    with running_services() as services:
        for number in range(1, options.rounds + 1):
            for workers, measured in rates.items():
                measured.append(options.orders / drain(services, workers, options.orders))
                print(f"round {number}, {workers} worker(s): {measured[-1]:,.0f} orders/s")
    ratio = median(rates[2]) / median(rates[1])
    print(f"two workers drain {ratio:.2f} times as fast as one")
    return 0 if ratio >= 1 else 1


def drain(services: Services, workers: int, orders: int) -> float:
    """Let so many workers reserve for all orders; returns the seconds that it took."""
    with services.ground() as ground, ExitStack() as stack:
        environment = process_environment() | dict(Ours.environment) | ground.environment
        for command in ("migrate --verbosity 0", "declare_topology"):
            manage = [sys.executable, "manage.py", *command.split()]
            subprocess.run(manage, cwd=ROOT, env=environment, check=True, capture_output=True)
        fill(ground, orders)
        for copy in range(workers):
            worker = start_worker(copy, environment)
            stack.callback(worker.stop)
        seconds = await_all(ground, orders)
        check(ground, orders)
        return seconds


def fill(ground: Ground, orders: int) -> None:
    """Stock enough for all, and their orders in inventory's queue."""
    product = {"sku": SKU, "name": SKU, "price": Decimal128("1.00"), "currency": "EUR"}
    stock = {"available": orders, "reserved": 0, "shipped": 0}
    ground.database["products"].insert_one(product | stock)
    with ground.broker() as connection:
        channel = connection.channel()
        channel.confirm_select()
        for _ in range(orders):
            channel.basic_publish(message(), routing_key="inventory")
    while ground.queue("inventory")[0] < orders:
        time.sleep(POLL_SECONDS)


def message() -> amqp.Message:
    order_id = str(ObjectId())
    body = {"orderId": order_id, "userId": 101, "items": [{"sku": SKU, "quantity": 1}]}
    return amqp.Message(
        json.dumps(body),
        content_type="application/json",
        type="order.placed",
        message_id=f"order.placed:{order_id}",
        correlation_id=order_id,
        delivery_mode=2,
    )


def start_worker(copy: int, environment: dict[str, str]) -> Process:
    command = procfile()["inventory"].replace("@%h", f"{copy}@%h")
    log = LOCAL / "logs" / f"hot-sku-{copy}.log"
    worker = Process(f"inventory{copy}", ["sh", "-c", f"exec {command}"], log, environment, ROOT)
    worker.start()
    return worker


def await_all(ground: Ground, orders: int) -> float:
    """Seconds from the first reservation to the last."""
    deadline, began = time.monotonic() + MAX_SECONDS, 0.0
    # Not by counting reservations: a quick count takes in what is not yet committed.
    while (done := hot_product(ground)["reserved"]) < orders:
        if time.monotonic() > deadline:
            raise SystemExit(f"{done} of {orders} orders after {MAX_SECONDS} s; see {LOCAL}/logs.")
        if done and not began:
            began = time.monotonic()
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


def hot_product(ground: Ground) -> dict[str, Any]:
    product = ground.database["products"].find_one({"sku": SKU})
    assert product is not None
    return product


def check(ground: Ground, orders: int) -> None:
    """A drain that did not do the work is not a result."""
    database = ground.database
    assert hot_product(ground)["available"] == 0
    assert database["reservations"].count_documents({"state": "reserved"}) == orders
    assert database["stock_movements"].count_documents({"kind": "reserve"}) == orders


if __name__ == "__main__":
    sys.exit(main())
