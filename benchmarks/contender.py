"""What the benchmark needs to know of a program that takes orders through a pipeline.

Every contender reads MONGODB_URL, MONGODB_DATABASE, AMQP_URL and WEB_PORT from its environment,
consumes the queues `inventory` and `billing`, and leaves an order's effects in the collections
`orders`, `reservations` and `invoices`, the last two under the order's id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo.database import Database

Document = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """A program of the contender, and what it does with the queues."""

    line: str
    #: The queue that it consumes.
    consumes: str | None = None


class Contender:
    """One of those that are measured beside each other."""

    #: As `--contender` takes it.
    name: str
    #: As the table shows it.
    title: str
    #: Where its programs run.
    folder: Path
    #: What is measured of it; None: everything.
    measures: Collection[str] | None = None
    #: Added to the environment of its programs.
    environment: Mapping[str, str] = {}
    #: Whether its programs are forks of one process, as `make run` starts ours.
    forked: bool = False

    def takes_part(self, measure: str) -> bool:
        return self.measures is None or measure in self.measures

    def install(self) -> None:
        """Install what it runs on; nothing where that is there."""

    def preparations(self) -> Sequence[str]:
        """The command lines that make an empty database and virtual host ready for it."""
        return ()

    def make_key(self, environment: Mapping[str, str]) -> str:
        """A key for the clients, made once the preparations are done; empty: none is asked for."""
        return ""

    def own_settings(self, program: str, logins: Path) -> Mapping[str, str]:
        """Added to the environment of one program; `logins` is the folder $LOGINS."""
        return {}

    def commands(self) -> Mapping[str, Command]:
        """Its programs by name; the one named `web` answers on WEB_PORT."""
        raise NotImplementedError

    def products(self) -> list[Document]:
        """The catalogue, each SKU with more units than any run takes."""
        raise NotImplementedError

    def is_done(self, database: Database[Document], order_id: ObjectId) -> bool:
        """Tell whether the order has had its last effect."""
        key = {"_id": str(order_id)}
        return bool(database["invoices"].find_one(key) and database["reservations"].find_one(key))

    def are_all_confirmed(self, database: Database[Document], after: ObjectId) -> bool:
        """Tell whether no order younger than `after` waits for its status."""
        return True
