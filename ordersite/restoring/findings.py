"""Finds the differences between orders, services' records and failed messages after a restore."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from bson import ObjectId

from billing import lost_numbers
from billing.invoicing import invoices
from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from inventory.reserving import reservations
from messaging.certificate import Reason
from messaging.isolation import isolated
from messaging.trust.contents import RECORDED_NO
from orders.collection import orders
from orders.ledger import known
from runtime.mongodb_clock import mongodb_now

logger = logging.getLogger(__name__)

CANNOT_COMPARE = (
    "Order %s is not compared, as its document or a service's record of it is not as this release "
    "stores one; the others are. Correct the document, then run reconcile_restore again."
)
CANNOT_READ = (
    "What the failed message %s tells is left out, as its document is not as this release stores "
    "one; the others' is not. Correct the document, then run reconcile_restore again."
)

#: What changed within this time may be on its way; the next run of the command finds the rest.
SETTLED_AFTER = timedelta(seconds=30)
AT_ONCE = 1_000
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class InFailedMessagesOnly:
    """An order that only failed messages have: it cannot be restored."""

    order_id: str
    user_id: str
    numbers: tuple[str, ...]


@dataclass(slots=True)
class Findings:
    """Each is a list of order ids, or of what it says."""

    #: Orders that the database lacks and billing has an invoice of: they can be put back.
    lost: list[Document] = field(default_factory=list)
    #: Reservations of orders that nothing else knows: their stock can be released.
    reserved_only: list[Document] = field(default_factory=list)
    #: What external publishers ordered, and what was never owed: left as it is.
    external: list[str] = field(default_factory=list)
    #: Orders known by failed messages alone.
    told: list[InFailedMessagesOnly] = field(default_factory=list)
    #: (service, order, type of event) that the service has to hear again.
    unheard: list[tuple[str, Document, str]] = field(default_factory=list)
    #: Orders that a service took back, so that they were cancelled after the backup.
    taken_back: list[Document] = field(default_factory=list)
    #: Orders with an invoice that is gone: their ledger, or billing's answer, has its number.
    uninvoiced: list[tuple[Document, str]] = field(default_factory=list)
    #: Orders that inventory rejected after the backup.
    unrejected: list[Document] = field(default_factory=list)
    #: Orders that were shipped after the backup.
    unshipped: list[Document] = field(default_factory=list)
    #: Numbers that a customer may have and that the series would issue again.
    numbers: list[str] = field(default_factory=list)
    #: By order, the number of an invoice that billing told of and has no more.
    answered: dict[str, str] = field(default_factory=dict)
    #: Numbers of invoices that a ledger or a message has.
    known_numbers: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many there are to be settled."""
        settled: tuple[list[Any], ...] = (
            *(self.lost, self.reserved_only, self.unheard, self.taken_back),
            *(self.uninvoiced, self.unrejected, self.unshipped, self.numbers),
        )
        return sum(len(each) for each in settled)


def find(last_number: str | None) -> Findings:
    """Read every order and every record; nothing is changed.

    `last_number` is the last invoice that a customer has; None where it is not known.
    """
    found = Findings()
    without_order(found)
    told_by_messages(found)
    found.answered = numbers_answered()
    for some in chunks(orders().find({"pending_since": None, "updated_at": {"$lt": settled()}})):
        compare(found, some)
    found.numbers = highest(found.known_numbers | ({last_number} if last_number else set()))
    return found


def without_order(found: Findings) -> None:
    """Records of orders that the database has not."""
    seen: set[str] = set()
    for invoice in lacking(invoices().find({"state": {"$ne": "lost"}})):
        if ObjectId.is_valid(invoice["_id"]) and invoice.get("items"):
            found.lost.append(invoice)
            seen.add(invoice["_id"])
        else:
            found.external.append(invoice["_id"])
    nothing_owed = {*found.external}
    for reservation in lacking(reservations().find({"created_at": {"$lt": settled()}})):
        if reservation["_id"] in seen:
            continue
        is_ours = ObjectId.is_valid(reservation["_id"]) and reservation.get("state") == "reserved"
        if is_ours:
            found.reserved_only.append(reservation)
        elif reservation["_id"] not in nothing_owed:
            found.external.append(reservation["_id"])


def lacking(records: Iterable[Document]) -> Iterator[Document]:
    """Those of the records whose order is not there."""
    for some in chunks(records):
        ids = [ObjectId(each["_id"]) for each in some if ObjectId.is_valid(each["_id"])]
        there = {str(id_) for id_ in known(ids)}
        yield from (each for each in some if each["_id"] not in there)


def told_by_messages(found: Findings) -> None:
    """Orders that the orders service never took, and that no record has."""
    recorded = {each["_id"] for each in (*found.lost, *found.reserved_only)} | {*found.external}
    numbers: dict[str, set[str]] = {}
    users: dict[str, str] = {}
    for record in never_taken():
        with isolated(logger, CANNOT_READ, record["_id"]):
            if record["order_id"] not in recorded:
                told = invoice_numbers(record["body"])
                numbers.setdefault(record["order_id"], set()).update(told)
                users[record["order_id"]] = record["user_id"]
                found.known_numbers |= told
    there = {str(id_) for id_ in known([ObjectId(id_) for id_ in users if ObjectId.is_valid(id_)])}
    found.told = [
        InFailedMessagesOnly(order_id, users[order_id], tuple(sorted(numbers[order_id])))
        for order_id in sorted(users.keys() - there)
    ]


def never_taken() -> Iterable[Document]:
    """Failed messages of orders about an order that it did not have."""
    wanted = {"service": "orders", "status": Status.FAILED, "message": {"$regex": "^Orders never"}}
    return failed_messages().find(wanted, {"order_id": 1, "user_id": 1, "body": 1})


#: Failed messages of orders: answers of a service that has lost its record of what they tell.
UNRECORDED: Document = {
    "service": "orders",
    "status": Status.FAILED,
    "reason": Reason.CONTRADICTS_RECORD,
    "message": {"$regex": rf"^\w+{RECORDED_NO}"},
}


def unrecorded() -> Iterable[Document]:
    return failed_messages().find(UNRECORDED, {"order_id": 1, "type": 1, "body": 1})


def numbers_answered() -> dict[str, str]:
    """By order, the number of an invoice that such an answer has."""
    numbers: dict[str, str] = {}
    for record in unrecorded():
        with isolated(logger, CANNOT_READ, record["_id"]):
            for number in invoice_numbers(record["body"]):
                if ahead(number) <= lost_numbers.MOST_LOST:
                    numbers[record["order_id"]] = number
    return numbers


def invoice_numbers(body: bytes) -> set[str]:
    try:
        number = json.loads(body).get("invoiceNumber")
        lost_numbers.parts(number)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return set()
    return {number}


def compare(found: Findings, some: list[Document]) -> None:
    """What the services recorded for these orders, beside what their ledgers say."""
    ids = {"_id": {"$in": [str(each["_id"]) for each in some]}}
    reserved = {each["_id"]: each for each in reservations().find(ids)}
    invoiced = {each["_id"]: each for each in invoices().find(ids)}
    held_up = held_up_by_failures([*ids["_id"]["$in"]])
    for order in some:
        order_id = str(order["_id"])
        with isolated(logger, CANNOT_COMPARE, order_id):
            if ("inventory", order_id) not in held_up:
                compare_stock(found, order, reserved.get(order_id))
            if ("billing", order_id) not in held_up:
                compare_invoice(found, order, invoiced.get(order_id), reserved.get(order_id))


def compare_stock(found: Findings, order: Document, reservation: Document | None) -> None:
    told, state = order["ledger"]["inventory"]["state"], reservation and reservation["state"]
    if order["status"] == "cancelled":
        if state not in ("released", "shipped") or told not in ("released", "shipped"):
            found.unheard.append(("inventory", order, "order.cancelled"))
    elif "released" in (state, told):
        found.taken_back.append(order)
    elif told == "rejected" and state != "rejected":
        found.unrejected.append(order)
    elif told == "shipped" and state == "reserved":
        found.unshipped.append(order)
    elif state is None or told != state:
        found.unheard.append(("inventory", order, "order.placed"))


def compare_invoice(
    found: Findings, order: Document, invoice: Document | None, reservation: Document | None
) -> None:
    entry, status = order["ledger"]["billing"], order["status"]
    state = invoice and invoice["state"]
    if state is None and entry["detail"]:
        found.known_numbers.add(entry["detail"])
    if status in ("cancelled", "rejected"):
        if state not in ("credited", "void") or entry["state"] != "credited":
            found.unheard.append(("billing", order, f"order.{status}"))
    elif state in ("credited", "void") or entry["state"] == "credited":
        # A rejection that was not heard of yet takes it back, too.
        if reservation is None or reservation["state"] == "reserved":
            found.taken_back.append(order)
    elif state is None and (number := number_told(found, order)):
        found.uninvoiced.append((order, number))
    elif state is None or entry["state"] == "pending":
        found.unheard.append(("billing", order, "order.placed"))


def number_told(found: Findings, order: Document) -> str | None:
    """The number of an invoice that there was."""
    entry = order["ledger"]["billing"]
    if entry["state"] == "invoiced" and entry["detail"]:
        return str(entry["detail"])
    return found.answered.get(str(order["_id"]))


def held_up_by_failures(order_ids: list[str]) -> set[tuple[str, str]]:
    """(service, order) where a failed message waits for an operator, or was discarded by one."""
    wanted = {
        "order_id": {"$in": order_ids},
        "status": {"$ne": Status.RESOLVED},
        "$nor": [UNRECORDED],
    }
    found = failed_messages().find(wanted, {"service": 1, "order_id": 1, "type": 1})
    return {
        (str(each.get("type") or "").partition(".")[0], each["order_id"])
        if each.get("service") == "orders"
        else (str(each.get("service")), each["order_id"])
        for each in found
    }


def highest(known_numbers: Iterable[str]) -> list[str]:
    """Of each series the highest number, where the series has not given it out yet."""
    counts: dict[str, int] = {}
    for number in known_numbers:
        series, count = lost_numbers.parts(number)
        counts[series] = max(count, counts.get(series, 0))
    numbers = [f"{series}-{n:06d}" for series, n in sorted(counts.items())]
    return [number for number in numbers if 0 < ahead(number) <= lost_numbers.MOST_LOST]


def ahead(number: str) -> int:
    """By how much it is beyond the last one that its series has given out.

    Beyond `MOST_LOST` it was never given out: a message may hold any number.
    """
    series, count = lost_numbers.parts(number)
    return count - lost_numbers.last(series)


def settled() -> datetime:
    """Before it nothing is on its way any more, whatever the clock of this machine says."""
    return mongodb_now() - SETTLED_AFTER


def chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    remaining = iter(documents)
    while some := list(islice(remaining, AT_ONCE)):
        yield some
