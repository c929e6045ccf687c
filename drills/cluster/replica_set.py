"""A MongoDB replica set of three members, each a server of its own behind a proxy."""

from __future__ import annotations

import math
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from drills.cluster.network import Network
from drills.waiting import wait_until
from localservices.mongodb import PROBE_MILLISECONDS, REPLICA_SET, MongoDB
from localservices.service import start_together

MEMBERS = 3
#: Whoever asks for data may hear of another primary so late: each search for it costs connections.
SAME_PRIMARY_SECONDS = 1.0

#: Elections in two seconds instead of ten, so that a drill takes seconds; the machine that runs
#: all of it is too busy for less.
#: https://www.mongodb.com/docs/manual/reference/replica-configuration/
SETTINGS = {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500}

Document = dict[str, Any]


class Member(MongoDB):
    """One member; it has joined nothing yet when it is ready."""

    # Failpoints hold a command at the very moment at which a drill wants to kill somebody.
    # https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
    arguments = (
        "--setParameter=enableTestCommands=1",
        "--oplogSize=256",
        # Three on one machine, each of which would take half of its memory.
        "--wiredTigerCacheSizeGB=0.25",
    )

    # Beside three members that work, the evidence of all drills so far takes a while to read.
    history_seconds = 300

    def client(self) -> MongoClient[Document]:
        """A client of this member alone, past the proxy."""
        return MongoClient(
            self.url, serverSelectionTimeoutMS=PROBE_MILLISECONDS, connectTimeoutMS=2_000
        )

    def is_primary(self) -> bool:
        if not self.process.running:
            return False
        try:
            with self.client() as client:
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False

    def set_failpoint(self, mode: str, data: Document) -> None:
        with self.client() as client:
            client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})

    def _is_ready(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.admin.command("ping")["ok"])
        except PyMongoError:
            return False


class ReplicaSet:
    """Three members. All clients, and the members among themselves, come through the proxies.

    with ReplicaSet(folder, network) as replica_set:
        MongoClient(replica_set.url)
    """

    def __init__(self, folder: Path, network: Network) -> None:
        self.members = [Member(folder / f"member-{number}") for number in range(MEMBERS)]
        self.proxies = [network.proxy(member.port) for member in self.members]
        #: Those of a drill itself, by the member's port.
        self._clients: dict[int, MongoClient[Document]] = {
            member.port: MongoClient(member.url, connect=False) for member in self.members
        }
        self._last_primary = self.members[0]
        self._searched_at = -math.inf

    @property
    def url(self) -> str:
        """Where the pipeline finds it."""
        hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    def __enter__(self) -> Self:
        start_together(self.members)
        self._initiate()
        self.primary()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()
        for member in self.members:
            member.thaw()
            member.kill()

    def primary(self, within_seconds: float = 180) -> Member:
        """The member that is the primary now, as soon as there is one."""
        wait_until(self._search_primary, within_seconds)
        return self._last_primary

    def database(self, name: str) -> Database[Document]:
        """A database as its primary has it, past the proxies."""
        if time.monotonic() - self._searched_at > SAME_PRIMARY_SECONDS:
            self.primary()
        return self._clients[self._last_primary.port][name]

    def heal(self) -> None:
        """Thaw and start every member, and wait until all of them are in sync."""
        for member in self.members:
            member.thaw()
        start_together(self.members)
        wait_until(self._is_whole, 60)

    def step_down(self) -> None:
        """Let another member be the primary."""
        with self.primary().client() as client:
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)

    def hold_commands(self, commands: list[str], seconds: float, client: str) -> None:
        """Hold these commands of a process for so long at the primary, until `hold_nothing`."""
        data = {
            "failCommands": commands,
            "appName": client,
            "blockConnection": True,
            "blockTimeMS": round(seconds * 1000),
        }
        self.primary().set_failpoint("alwaysOn", data)

    def held(self, command: str, client: str) -> list[int]:
        """The ids of this process's commands of this name that the primary has before it now."""
        operations = self._clients[self.primary().port].admin.aggregate(
            [
                {"$currentOp": {"allUsers": True}},
                {"$match": {"appName": client, f"command.{command}": {"$exists": True}}},
            ]
        )
        return [operation["opid"] for operation in operations if operation["active"]]

    def drop(self, operations: list[int]) -> None:
        """Never carry them out, as if they had not arrived."""
        client = self._clients[self.primary().port]
        for operation in operations:
            client.admin.command({"killOp": 1, "op": operation})

    def hold_nothing(self) -> None:
        for member in self.members:
            member.set_failpoint("off", {})

    def _search_primary(self) -> bool:
        for member in self.members:
            if member.is_primary():
                self._last_primary, self._searched_at = member, time.monotonic()
                return True
        return False

    def _initiate(self) -> None:
        members = [
            {"_id": number, "host": f"127.0.0.1:{proxy.port}"}
            for number, proxy in enumerate(self.proxies)
        ]
        config = {"_id": REPLICA_SET, "members": members, "settings": SETTINGS}
        with self.members[0].client() as client:
            client.admin.command("replSetInitiate", config)

    def _is_whole(self) -> bool:
        try:
            with self.primary().client() as client:
                status = client.admin.command("replSetGetStatus")
        except PyMongoError:
            return False
        states = sorted(member["stateStr"] for member in status["members"])
        return states == ["PRIMARY", "SECONDARY", "SECONDARY"]
