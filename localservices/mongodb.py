"""A private MongoDB: a replica set of one node, which transactions and majority writes need."""

from __future__ import annotations

import re
import secrets
import shutil
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from localservices import docker
from localservices.errors import NotInstalled
from localservices.ports import free_port
from localservices.process import Process
from localservices.service import Service

STANDARD_PORT = 27017
ADMINISTRATOR = "administrator"
SECRET_BYTES = 64
REPLICA_SET = "rs0"

#: A worker killed inside a transaction keeps its documents locked for so long; MongoDB's own
#: value is 60. https://www.mongodb.com/docs/manual/reference/parameters/
TRANSACTION_LIFETIME_SECONDS = 3
#: For so long MongoDB keeps what was deleted; its own value is 300. The relay's index of pending
#: events is nearly all deleted entries, and each poll for new ones reads past them. A recount of
#: the stock, which reads everything as it was at one moment, has to be done within it.
HISTORY_SECONDS = 10

PROBE_MILLISECONDS = 500

#: MongoDB's log lines of severity "error" and "fatal".
#: https://www.mongodb.com/docs/manual/reference/log-messages/
ERROR_LINE = re.compile(r'"s":"[EF]"')

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
AUTHENTICATION_FAILED = 18
NOT_YET_INITIALIZED = 94
INVALID_REPLICA_SET_CONFIG = 93


class MongoDB(Service):
    """A MongoDB replica set of one node, on loopback, with its data in `data_folder`.

        with MongoDB(Path(".local/mongodb")) as mongodb:
            MongoClient(mongodb.url)

    Without `port` it takes a free one; after a move to another port the data stay usable. With
    `logins` nobody gets in without one, and `url` has the administrator's.
    """

    name = "MongoDB"
    listening_line = "Waiting for connections"
    #: Further arguments of the server.
    arguments: tuple[str, ...] = ()
    history_seconds = HISTORY_SECONDS

    def __init__(self, data_folder: Path, port: int | None = None, *, logins: bool = False) -> None:
        super().__init__(data_folder)
        self.port = port or free_port()
        self.logins = logins

    @property
    def url(self) -> str:
        address = f"127.0.0.1:{self.port}/?directConnection=true"
        if not self.logins:
            return f"mongodb://{address}"
        password = self._secret("administrator.password")
        return f"mongodb://{ADMINISTRATOR}:{password}@{address}&authSource=admin"

    def _prepare(self) -> Process:
        log = self.data_folder / "mongodb.log"
        program = mongod()
        if program is None and docker.is_available():
            self.logins = False
            return docker.compose_service("mongodb", log, MONGODB_PORT=self.port)
        if program is None:
            raise NotInstalled(
                "MongoDB's server (mongod) is not on this machine. Install the Python packages "
                "of requirements-dev.txt, which bring it, or set MONGODB_URL to a replica set "
                "of yours, e.g. MONGODB_URL='mongodb://localhost:27017/?replicaSet=rs0'."
            )
        database_folder = self.data_folder / "data"
        database_folder.mkdir(exist_ok=True)
        return Process(self.name, self._command(program, database_folder), log)

    def _command(self, program: Path, database_folder: Path) -> tuple[str, ...]:
        """The command line of a loopback-only replica set node."""
        return (
            str(program),
            f"--dbpath={database_folder}",
            f"--port={self.port}",
            "--bind_ip=127.0.0.1",
            f"--replSet={REPLICA_SET}",
            f"--setParameter=transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_SECONDS}",
            f"--setParameter=minSnapshotHistoryWindowInSeconds={self.history_seconds}",
            # Its statistics cost disk and CPU, and they are not read here.
            "--setParameter=diagnosticDataCollectionEnabled=false",
            # What members know each other by; with it MongoDB wants everybody's login.
            *([f"--keyFile={self._secret_file('members.key')}"] if self.logins else []),
            *self.arguments,
        )

    def _secret_file(self, name: str) -> Path:
        """A file with a secret of this data folder, made at first, for its owner alone."""
        file = self.data_folder / name
        if not file.exists():
            self.data_folder.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(SECRET_BYTES))
        return file

    def _secret(self, name: str) -> str:
        return self._secret_file(name).read_text()

    def _is_ready(self) -> bool:
        """Make the node the primary of its own replica set, and return whether it is."""
        try:
            return self._is_primary(self.url)
        except OperationFailure as error:
            if error.code == AUTHENTICATION_FAILED:
                self._make_administrator()
            return False
        except PyMongoError:
            # Still starting, or in an election; the caller's deadline judges.
            return False

    def _is_primary(self, url: str) -> bool:
        with _client(url) as client:
            hello = client.admin.command("hello")
            if not hello["isWritablePrimary"]:
                _join(client, f"127.0.0.1:{self.port}")
        return bool(hello["isWritablePrimary"])

    def _make_administrator(self) -> None:
        """As long as there is no user, MongoDB lets this machine make the first one.

        https://www.mongodb.com/docs/manual/core/localhost-exception/
        """
        url = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        with suppress(PyMongoError):
            if self._is_primary(url):
                with _client(url) as client:
                    client.admin.command(
                        "createUser",
                        ADMINISTRATOR,
                        pwd=self._secret("administrator.password"),
                        roles=["root"],
                    )

    def _telling_log(self) -> str:
        """The errors alone, where there are any: its JSON lines are long and many."""
        tail = self.process.log_tail()
        errors = [line for line in tail.splitlines() if ERROR_LINE.search(line)]
        return "\n".join(errors) or tail


def mongod() -> Path | None:
    """Find MongoDB's server: the one among the Python packages, otherwise on the PATH."""
    packaged = Path(sysconfig.get_path("platlib"), "fiftyone/db/bin/mongod")
    if packaged.exists():
        return packaged
    on_path = shutil.which("mongod")
    return Path(on_path) if on_path else None


def _client(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=PROBE_MILLISECONDS)


def _join(client: MongoClient[dict[str, Any]], address: str) -> None:
    """Initiate the replica set, or tell it its node's new address after a change of port."""
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            members = [{"_id": 0, "host": address}]
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        elif error.code == INVALID_REPLICA_SET_CONFIG:
            config = client.admin.command("replSetGetConfig")["config"]
            config["members"][0]["host"] = address
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
