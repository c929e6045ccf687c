"""Searches orders, services' records and failed messages for what a restore has put apart."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from bson import ObjectId

from billing import lost_numbers
from billing.invoicing import invoices
from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from inventory.reserving import reservations
from messaging.isolation import isolated
from messaging.trust.contents import contradiction
from messaging.trust.records import recorded
from orders.collection import orders
from ordersite.restoring import answer_replay, answers
from ordersite.restoring.answers import AT_ONCE, Answer, Kind, ahead, key_of, there, whole_order
from ordersite.restoring.comparison import COMPARED, compare, compare_others
from ordersite.restoring.findings import Document, Findings, ToldOnly, Whole
from ordersite.restoring.idleness import Waiting
from ordersite.restoring.outcome import reason_in
from runtime.batches import in_batches
from runtime.mongodb_clock import mongodb_now

logger = logging.getLogger(__name__)

CANNOT_JUDGE = (
    "Whether the failed message %s is true is not known, as what is stored of its order is not as "
    "this release stores it. Correct the document, then run reconcile_restore again."
)
#: What changed within this time may be on its way; the next run of the command finds the rest.
SETTLED_AFTER = timedelta(seconds=30)


#: The services, by order.
Held = dict[str, set[str]]


def find(last_numbers: Iterable[str], believes: bool, waiting: Waiting) -> Findings:
    """Read every order and every record; nothing is changed.

    Args:
        last_numbers: the last invoice and the last credit note that a customer has, as far as
            they are known.
        believes: whether answers are believed of which no service has a record.
        waiting: the messages that were on their way before this.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    found = Findings(believes=believes, answers=answers.read())
    for number in last_numbers:
        series, count = lost_numbers.parts(number)
        found.named[series] = max(count, found.named.get(series, 0))
    verdicts = answer_replay.judge(found)
    found.true, found.renumbered, found.refuted = verdicts
    without_order(found)
    told_by_messages(found)
    ours = orders().find({"pending_since": None, "updated_at": {"$lt": settled()}})
    for some in in_batches(ours, AT_ONCE):
        compare_with_records(found, some)
    found.unbelieved += unproven(found)
    found.unreplayed = [each for each in replaying() if not is_on_its_way(each, waiting)]
    named = {f"{series}-{count:06d}" for series, count in found.named.items()}
    beyond = lost_numbers.issued_beyond()
    found.numbers = highest({*found.known_numbers, *named, *beyond})
    return found


def without_order(found: Findings) -> None:
    """Records of orders that the database has not."""
    seen: set[str] = set()
    for invoice in lacking(invoices().find({"state": {"$ne": "lost"}})):
        if key_of(invoice["_id"]) and invoice.get("items"):
            found.lost.append(invoice)
            seen.add(invoice["_id"])
        else:
            found.external.append(str(invoice["_id"]))
    nothing_owed = {*found.external}
    for reservation in lacking(reservations().find({"created_at": {"$lt": settled()}})):
        order_id = str(reservation["_id"])
        if order_id in seen:
            continue
        if key_of(reservation["_id"]) and reservation.get("state") == "reserved":
            if whole_order(found.answers.of(order_id)) is None:
                found.reserved_only.append(reservation)
        elif order_id not in nothing_owed:
            found.external.append(order_id)


def lacking(records: Iterable[Document]) -> Iterator[Document]:
    """Those of the records whose order is not there."""
    for some in in_batches(records, AT_ONCE):
        known = there(each["_id"] for each in some)
        yield from (each for each in some if str(each["_id"]) not in known)


def told_by_messages(found: Findings) -> None:
    """Orders that the database lacks, and no record has."""
    recorded_ids = {each["_id"] for each in (*found.lost, *found.reserved_only)}
    ids = [each for each in found.answers.order_ids() if each not in recorded_ids]
    lost = sorted({*ids} - there(ids) - {*found.external})
    for order_id in lost:
        told = found.answers.of(order_id)
        for each in told:
            if found.believes or each.kind is Kind.OF_LOST_ORDER:
                found.known_numbers |= each.numbers
        if whole := whole_order(told):
            if found.believes:
                found.whole.append(put_together(whole, told))
            else:
                found.unbelieved.append(whole)
        elif any(each.kind for each in told):
            numbers = {number for each in told for number in each.numbers}
            found.told.append(ToldOnly(order_id, told[0].user_id, tuple(sorted(numbers))))


def put_together(whole: Answer, told: list[Answer]) -> Whole:
    """The order, with what its other messages tell."""
    cancelled = [each for each in told if each.type == "order.cancelled"]
    reason = reason_in(cancelled[0]) if cancelled else None
    number = next((each.number for each in told if each.number in each.numbers), None)
    credit_note = next(
        (each.credit_note for each in told if each.credit_note in each.numbers), None
    )
    is_cancelled = any(is_withdrawal(each) for each in told)
    invoiced_at = next((each.at for each in told if each.type == "billing.invoiced"), None)
    credited_at = next((each.at for each in told if each.type == "billing.credited"), None)
    return Whole(
        *(whole.order_id, whole.body, number, credit_note, is_cancelled, reason),
        *(invoiced_at, credited_at),
    )


def is_withdrawal(answer: Answer) -> bool:
    """Whether it tells that the order was cancelled."""
    return answer.type in ("order.cancelled", "inventory.released")


def compare_with_records(found: Findings, some: list[Document]) -> None:
    """What the services recorded for these orders, beside what their ledgers and answers say."""
    ids = [str(each["_id"]) for each in some]
    reserved = {each["_id"]: each for each in reservations().find({"_id": {"$in": ids}})}
    invoiced = {each["_id"]: each for each in invoices().find({"_id": {"$in": ids}})}
    held_up = held_up_by_failures(ids, {each.id for each, _ in found.renumbered})
    for order in some:
        id_ = str(order["_id"])
        compare(found, order, reserved.get(id_), invoiced.get(id_), held_up.get(id_, set()))
    compare_others(found, some, held_up)


def held_up_by_failures(order_ids: list[str], settled_here: set[ObjectId]) -> Held:
    """By order the services for which a failed message waits for an operator, or was discarded.

    What a restore has made fail holds nothing up: it is settled here.
    """
    wanted = {
        "order_id": {"$in": order_ids},
        "status": {"$ne": Status.RESOLVED},
        "$nor": [answers.UNRECORDED, answers.OF_LOST_ORDERS, answers.UNVOUCHED],
    }
    held_up: Held = {}
    for each in failed_messages().find(wanted, {"service": 1, "order_id": 1, "type": 1}):
        if each["_id"] in settled_here:
            continue
        service = str(each.get("service"))
        about = str(each.get("type") or "").partition(".")[0] if service == "orders" else service
        held_up.setdefault(each["order_id"], set()).add(about)
    return held_up


def unproven(found: Findings) -> Iterator[Answer]:
    """What is told of orders that are there, would change something, and is not believed."""
    if found.believes:
        return
    renumbered = {each.id for each, _ in found.renumbered}
    told = [each for each in found.answers.all() if each.kind and each.id not in renumbered]
    known = there(each.order_id for each in told)
    for each in told:
        if each.order_id in known:
            with isolated(logger, CANNOT_JUDGE, each.id):
                if is_open(found, each):
                    yield each


def is_open(found: Findings, answer: Answer) -> bool:
    """Whether doing the work again is not enough to make it true."""
    stored = recorded(answer.type, [answer.order_id]).get(answer.order_id)
    if stored is not None:
        return contradiction(answer.type, answer.body, stored) is not None
    match answer.type:
        case "inventory.reserved":
            return reservations().find_one({"_id": answer.order_id}) is not None
        case "billing.invoiced":
            is_again = answer.number is not None and found.is_named(answer.number)
            return not is_again or invoices().find_one({"_id": answer.order_id}) is not None
    return answer.about in {*COMPARED, "order"}


def replaying() -> Iterator[Document]:
    """Failed messages whose replay was published, and has ended neither way for long."""
    wanted = {"status": Status.REPLAYING, "replay.published_at": {"$lt": settled()}}
    yield from failed_messages().find(wanted, {"service": 1, "type": 1, "order_id": 1, "replay": 1})


def is_on_its_way(record: Document, waiting: Waiting) -> bool:
    """Whether the replay, or the news of how it ended, waits somewhere."""
    return not {str(record["service"]), "replay_outcomes"}.isdisjoint(waiting.ready | waiting.held)


def highest(known_numbers: Iterable[str]) -> list[str]:
    """Of each series the highest number, where the series has not given it out yet."""
    counts: dict[str, int] = {}
    for number in known_numbers:
        series, count = lost_numbers.parts(number)
        counts[series] = max(count, counts.get(series, 0))
    numbers = [f"{series}-{n:06d}" for series, n in sorted(counts.items())]
    return [number for number in numbers if 0 < ahead(number) <= lost_numbers.MOST_LOST]


def settled() -> datetime:
    """Before it nothing is on its way any more, whatever the clock of this machine says."""
    return mongodb_now() - SETTLED_AFTER
