"""What a user would build or pick instead, with the same guarantees, as small programs.

Each saves an order on the majority, has its event confirmed before the 201, consumes persistent
messages from quorum queues, acks after the write, reserves stock and records the reservation in
one transaction, issues one invoice an order, and retries through a queue of the failing service.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from benchmarks import installing
from benchmarks.contender import Command, Contender, Document
from benchmarks.workload import SKUS, UNITS_OF_EACH_SKU, price_cents

PEERS = Path(__file__).parent

#: Growth takes long, and is measured of the tutorial's stack alone.
ALL_BUT_GROWTH = ("post", "end_to_end", "drain", "idle")


class Peer(Contender):
    """What the peers have in common: the shape of their documents."""

    def products(self) -> list[Document]:
        return [
            {"_id": sku, "cents": price_cents(sku), "available": UNITS_OF_EACH_SKU, "reserved": 0}
            for sku in SKUS
        ]


class PythonPeer(Peer):
    """One with packages of its own."""

    measures = ALL_BUT_GROWTH

    def install(self) -> None:
        self._programs = shlex.quote(str(installing.python_of(self.name).parent))


class Node(Peer):
    """The tutorial's stack, with our guarantees."""

    name = "node"
    title = "Express, Mongoose, amqplib"
    environment = {"NODE_ENV": "production"}

    def install(self) -> None:
        self.folder = installing.node_program(PEERS / "node")

    def commands(self) -> Mapping[str, Command]:
        return {
            "web": Command("node web.js"),
            "inventory": Command("node inventory.js", consumes="inventory"),
            "billing": Command("node billing.js", consumes="billing"),
        }


class FastStream(PythonPeer):
    """Python's asynchronous libraries."""

    name = "faststream"
    title = "FastAPI, FastStream, PyMongo async"
    folder = PEERS / "faststream"

    def commands(self) -> Mapping[str, Command]:
        web = f"{self._programs}/uvicorn web:app --port $WEB_PORT --log-level warning"
        run = f"{self._programs}/faststream run"
        return {
            "web": Command(web),
            "inventory": Command(f"{run} inventory:app", consumes="inventory"),
            "billing": Command(f"{run} billing:app", consumes="billing"),
        }


class AioPika(PythonPeer):
    """The leanest of what people write by hand in Python."""

    name = "aio_pika"
    title = "Starlette, msgspec, aio-pika"
    folder = PEERS / "aio_pika"

    def commands(self) -> Mapping[str, Command]:
        web = f"{self._programs}/uvicorn web:app --port $WEB_PORT --log-level warning"
        python = f"{self._programs}/python"
        return {
            "web": Command(web),
            "inventory": Command(f"{python} inventory.py", consumes="inventory"),
            "billing": Command(f"{python} billing.py", consumes="billing"),
        }


class Dramatiq(PythonPeer):
    """Celery's simpler rival, behind the web framework that works in threads as it does."""

    name = "dramatiq"
    title = "Flask, Dramatiq"
    folder = PEERS / "dramatiq"

    def commands(self) -> Mapping[str, Command]:
        # Each thread has a connection of its own, so none may end after half a minute of rest.
        web = (
            f"{self._programs}/granian --interface wsgi --host 127.0.0.1 --port $WEB_PORT "
            "--blocking-threads 32 --blocking-threads-idle-timeout 600 --log-level error web:app"
        )
        return {
            "web": Command(web),
            "inventory": Command(self._worker("inventory"), consumes="inventory"),
            "billing": Command(self._worker("billing"), consumes="billing"),
        }

    def _worker(self, service: str) -> str:
        # On two cores that have everything a second process costs it a fifth more CPU an order.
        return f"{self._programs}/dramatiq {service} --queues {service} --processes 1 --threads 8"


class DrfCelery(PythonPeer):
    """Django as its tutorials have it: a model viewset that calls `delay()` for each service."""

    name = "drf_celery"
    title = "DRF viewset, plain Celery"
    folder = PEERS / "drf_celery"

    def commands(self) -> Mapping[str, Command]:
        web = (
            f"{self._programs}/granian --interface wsgi --host 127.0.0.1 --port $WEB_PORT "
            "--blocking-threads 32 --log-level error shop.wsgi:application"
        )
        return {
            "web": Command(web),
            "inventory": Command(self._worker("inventory"), consumes="inventory"),
            "billing": Command(self._worker("billing"), consumes="billing"),
        }

    def _worker(self, queue: str) -> str:
        return (
            f"{self._programs}/celery --quiet -A shop worker -Q {queue} -n {queue}$COPY@%h "
            "--concurrency 2"
        )
