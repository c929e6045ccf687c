"""Is MongoDB configured as the promises need it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymongo
from django.db import connection
from pymongo import ReadPreference
from pymongo.errors import PyMongoError

from messaging.outages import PATIENCE_SECONDS
from ordersite.doctor.report import Finding, Severity
from ordersite.pipeline.health import Check

#: What this project starts its own MongoDB with.
TRANSACTION_LIFETIME_SECONDS = 3
HISTORY_SECONDS = 10
SET_WHERE = "On each member, and for its next start in mongod.conf under setParameter."

GOOD_STATES = {"PRIMARY", "SECONDARY", "ARBITER"}

#: For what the members say where none is the primary.
MEMBERS_SECONDS = 1
END_OF_STEP_DOWN = (
    "All of them run, and an election takes some 10 s. If there is no primary then, one was told "
    "to step down. To end that: mongosh \"$MONGODB_URL\" --eval 'rs.freeze(0)'"
)


def without_primary(seen: Check) -> tuple[str, str]:
    """Why no primary answers, and what to do, by what the members say, if one does."""
    states = _states()
    if not states:
        return f"MongoDB: {seen.detail}", seen.next_step
    reason = f"MongoDB: {seen.detail} {', '.join(f'{name} is {state}' for name, state in states)}."
    if any(state == "PRIMARY" for _, state in states):
        return reason, "Name all members in MONGODB_URL, with ?replicaSet=, in place of one."
    if down := [name for name, state in states if state not in GOOD_STATES]:
        start = "a majority elects a primary. On each: sudo systemctl restart mongod"
        return reason, f"Start {', '.join(down)}: {start}"
    return reason, END_OF_STEP_DOWN


def _states() -> list[tuple[str, str]]:
    """Each member with its state; none where no member says it."""
    admin = connection.database.client.admin
    try:
        with pymongo.timeout(MEMBERS_SECONDS):
            status = admin.command("replSetGetStatus", read_preference=ReadPreference.NEAREST)
    except PyMongoError:
        return []
    return [(member["name"], member["stateStr"]) for member in status["members"]]


def replica_set() -> Iterator[Finding]:
    """Transactions and majority writes need a replica set, and a majority of it."""
    if "setName" not in _admin("hello"):
        yield Finding(
            Severity.ERROR,
            "MongoDB",
            "It is not a replica set.",
            "It has no transactions, so stock is not reserved and no invoice is issued.",
            "mongosh \"$MONGODB_URL\" --eval 'rs.initiate()'",
            "mongod must have been started with --replSet=rs0.",
        )
        return
    for member in _admin("replSetGetStatus")["members"]:
        if member["stateStr"] not in GOOD_STATES:
            yield _lost_member(member["name"], member["stateStr"])


def _lost_member(name: str, state: str) -> Finding:
    return Finding(
        Severity.WARNING,
        f"MongoDB member {name}",
        f"Its state is {state}.",
        "Fewer members may fail now; without a majority no order is accepted.",
        "sudo systemctl restart mongod",
        f"On {name.partition(':')[0]}.",
    )


def write_concern() -> Iterator[Finding]:
    """What the settings and MONGODB_URL come to, together."""
    acknowledged_by = connection.database.write_concern.document.get("w")
    if acknowledged_by != "majority":
        yield Finding(
            Severity.ERROR,
            "Write concern",
            f"Writes are acknowledged by {acknowledged_by or 'the primary alone'}, "
            "not by the majority.",
            "An order answered with 201 can be lost with the primary.",
            "export MONGODB_URL='mongodb://…/?replicaSet=rs0&w=majority'",
            'ordersite/settings.py asks for "w": "majority"; something overrides it.',
        )


def journal() -> Iterator[Finding]:
    """https://www.mongodb.com/docs/manual/reference/replica-configuration/"""
    if not _is_replica_set():
        return
    config = _admin("replSetGetConfig")["config"]
    if not config.get("writeConcernMajorityJournalDefault", True):
        yield Finding(
            Severity.ERROR,
            "Write concern",
            "A majority write does not wait for the journal.",
            "A power cut of the majority loses orders that were answered with 201.",
            'mongosh "$MONGODB_URL" --eval \'c = rs.conf(); '
            "c.writeConcernMajorityJournalDefault = true; rs.reconfig(c)'",
        )


def transaction_lifetime() -> Iterator[Finding]:
    """A transaction whose worker was killed keeps its documents locked for so long."""
    name = "transactionLifetimeLimitSeconds"
    seconds = _parameter(name)
    if seconds > PATIENCE_SECONDS:
        yield Finding(
            Severity.WARNING,
            "MongoDB",
            f"{name} is {seconds}, longer than the {PATIENCE_SECONDS:g} s that a handler waits.",
            "After a worker is killed, its products stay locked for so long, and the orders "
            "that want them go round through the retry queue.",
            _set_parameter(name, TRANSACTION_LIFETIME_SECONDS),
            SET_WHERE,
        )


def snapshot_history() -> Iterator[Finding]:
    """Each poll of the relay reads past every event that left the outbox within this time."""
    name = "minSnapshotHistoryWindowInSeconds"
    seconds = _parameter(name)
    if seconds > HISTORY_SECONDS:
        yield Finding(
            Severity.WARNING,
            "MongoDB",
            f"{name} is {seconds}: MongoDB keeps deleted data for so long.",
            "Each poll of the relay reads past every event of that time: some "
            "15 ms a poll after 100,000 events, and as much CPU of MongoDB.",
            _set_parameter(name, HISTORY_SECONDS),
            f"{SET_WHERE} Leave it where `python manage.py recount_stock` takes longer than "
            f"{HISTORY_SECONDS} s.",
        )


def _parameter(name: str) -> int:
    value: int = _admin("getParameter", **{name: 1})[name]
    return value


def _set_parameter(name: str, value: int) -> str:
    """The command that does."""
    call = f"db.adminCommand({{setParameter: 1, {name}: {value}}})"
    return f"mongosh \"$MONGODB_URL\" --eval '{call}'"


def _is_replica_set() -> bool:
    return "setName" in _admin("hello")


def _admin(command: str, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = connection.database.client.admin.command(command, **arguments)
    return answer
