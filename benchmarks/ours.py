"""The pipeline itself, its processes as the Procfile has them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from bson import Decimal128, ObjectId
from pymongo.database import Database

from benchmarks.contender import Command, Contender, Document
from benchmarks.workload import SKUS, UNITS_OF_EACH_SKU, price_cents
from localservices import environment_file
from localservices.pipeline import ROOT, procfile

QUEUE = re.compile(r" -Q (\w+)")


class Ours(Contender):
    """Everything that `make run` starts."""

    name = "ours"
    title = "this pipeline"
    folder = ROOT
    forked = True
    environment = {
        "DJANGO_DEBUG": "false",
        "DJANGO_SECRET_KEY": "only-for-a-benchmark-" + "x" * 50,
        # Counted as ever; one client sends what a thousand would.
        "CLIENT_REQUESTS_PER_SECOND": "1000000",
        "ADDRESS_REQUESTS_PER_SECOND": "1000000",
        # As the README advises where one machine of two cores has everything.
        "YIELD_TO_BACKLOG_MESSAGES": "2000",
    }

    def preparations(self) -> Sequence[str]:
        return (
            "python manage.py migrate --verbosity 0",
            "python manage.py declare_topology",
            'python manage.py access apply --folder "$LOGINS"',
        )

    def make_key(self, environment: Mapping[str, str]) -> str:
        create = ["manage.py", "api_keys", "create", "benchmark", "--shop", "--json"]
        made = subprocess.run(
            [sys.executable, *create, "--scope", "orders:place"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        return str(json.loads(made.stdout)["key"])

    def commands(self) -> Mapping[str, Command]:
        return {name: command(line) for name, line in procfile().items()}

    def own_settings(self, program: str, logins: Path) -> Mapping[str, str]:
        """Each process has logins of its own."""
        return environment_file.read(logins / f"{program}.env")

    def products(self) -> list[Document]:
        return [
            {
                "sku": sku,
                "name": sku,
                "price": Decimal128(Decimal(price_cents(sku)) / 100),
                "currency": "EUR",
                "available": UNITS_OF_EACH_SKU,
                "reserved": 0,
            }
            for sku in SKUS
        ]

    def is_done(self, database: Database[Document], order_id: ObjectId) -> bool:
        return bool(database["orders"].find_one({"_id": order_id, "status": "confirmed"}))

    def are_all_confirmed(self, database: Database[Document], after: ObjectId) -> bool:
        waiting = {"_id": {"$gt": after}, "status": {"$ne": "confirmed"}}
        return database["orders"].find_one(waiting) is None


class WithoutStatus(Ours):
    """Without the way back to the order's status, which the peers don't have either."""

    name = "without_status"
    title = "this pipeline, without the status round trip"
    measures = ("end_to_end", "drain")

    def commands(self) -> Mapping[str, Command]:
        return {name: each for name, each in super().commands().items() if name != "orders"}

    def is_done(self, database: Database[Document], order_id: ObjectId) -> bool:
        return Contender.is_done(self, database, order_id)

    def are_all_confirmed(self, database: Database[Document], after: ObjectId) -> bool:
        return True


def command(line: str) -> Command:
    """A line of a Procfile, with a name of its own for each worker of a service."""
    queue = QUEUE.search(line)
    return Command(line.replace("@%h", "$COPY@%h"), consumes=queue and queue[1])
