"""Settles what was found, each in a transaction with its entry of the audit log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
from bson import ObjectId
from django.conf import settings
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from billing import lost_numbers
from billing.invoicing import issued
from billing.order_in_message import read_placed
from failed_messages.acting.replay import replay
from failed_messages.models import Status
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import act
from inventory import rejecting, releasing, shipping
from inventory.order_in_message import PlacedOrder
from inventory.refusals import Refusal
from inventory.reserving import reservations
from messaging.errors import MessagingError, PublishError
from messaging.publishing.publisher import Publisher
from orders import cancelling, events_again, rebuilding
from orders.events import body_of
from ordersite.restoring.answer_replay import settle_answers
from ordersite.restoring.findings import Document, Findings, Unheard, Whole
from ordersite.restoring.idleness import BUSY, Waiting
from ordersite.restoring.outcome import Outcome
from runtime.batches import in_batches
from runtime.milliseconds import now_in_milliseconds
from runtime.requests.refusal import Refusal as OrderRefusal
from runtime.transactions import in_transaction

SENT_AT_ONCE = 1_000
REASON = "A backup was restored that is older than this"
OTHERS_NUMBER = (
    "{kind} {number} is lost, and the number is another order's by now: cancel that one in its "
    "place, or issue another one by hand, and tell both customers"
)
OTHER_RATE = (
    "invoice {number} has today's tax rate, and the one before it in its series has {rate}%: "
    "compare it with the customer's copy, and correct its tax_rate_percent and its tax where they "
    "differ"
)
REPLAY_LOST = "RabbitMQ no longer has it: it, or how it ended, was lost with the restore"


class Left(list[str]):
    """What was not settled, and why."""

    @contextmanager
    def out(self, subject: str) -> Iterator[None]:
        """Go on with the others where this one cannot be settled."""
        try:
            yield
        except PublishError:
            raise
        except (Refusal, OrderRefusal) as refusal:
            self.append(f"{subject}: {refusal.detail}")
        except (MessagingError, ValueError, LookupError, TypeError, DuplicateKeyError) as error:
            self.append(f"{subject}: {error}")


def settle(found: Findings, by: str, waiting: Waiting) -> list[str]:
    """Do what the plan says; returns what was left, and why. Doing it again changes nothing more.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends the rest.
        pymongo.errors.PyMongoError, Outage: MongoDB did not answer.
    """
    left = Left()
    withhold(found.numbers, by, left)
    for whole in found.whole:
        with left.out(f"order {whole.order_id}"):
            put_back_whole(whole, by, left)
    for order, told in found.uninvoiced:
        with left.out(f"order {order['_id']}"):
            issue_again(order, told, by, left)
    for invoice in found.lost:
        with left.out(f"order {invoice['_id']}"):
            put_back(invoice, by)
    for order, reason in found.taken_back:
        with left.out(f"order {order['_id']}"):
            cancel(order, reason, by)
    for order, told in found.unrejected:
        with left.out(f"order {order['_id']}"):
            rejecting.reject(asked_by(order), told.shortages)
            audited("reject", order["_id"], by)
    for order in found.unreserved:
        with left.out(f"order {order['_id']}"):
            reserve(order, by, left)
    for order in found.unshipped:
        with left.out(f"order {order['_id']}"):
            # The goods have left the house, whatever another service failed of.
            shipping.send(str(order["_id"]), by, anyway=REASON)
            audited("ship", order["_id"], by)
    release_all(found.reserved_only, by, waiting, left)
    replay_lost(found.unreplayed, by, waiting, left)
    send_again(sendable(found.unheard, waiting, left), by, left)
    left += settle_answers(found, by, REASON)
    return left


def audited(
    act: str, subject_id: object, by: str, do: Callable[[ClientSession], Any] | None = None
) -> Any:
    """Do it and note it; both or none."""

    def run(session: ClientSession) -> Any:
        result = do(session) if do else None
        audit.note(session, act, audit.RESTORE, subject_id, by=by, reason=REASON)
        return result

    return in_transaction(run)


def withhold(numbers: list[str], by: str, left: Left) -> None:
    for number in numbers:
        with left.out(f"number {number}"):
            for step in lost_numbers.steps(number):
                audited("withhold", step, by, partial(lost_numbers.withhold, step))


def issue_again(order: Document, told: Outcome, by: str, left: Left) -> None:
    """The invoice, and its credit note where an answer tells that one's number."""
    order_id = str(order["_id"])
    cancelled_at = (order.get("cancellation") or {}).get("at")
    had = Documents(
        str(told.number),
        told.invoiced_at or order["created_at"],
        told.credit_note,
        told.credited_at or cancelled_at or now_in_milliseconds(),
        told.reason,
    )
    body = msgspec.to_builtins(body_of(order, "order.placed"))
    issue = partial(bill_again, body, had)
    left += [f"order {order_id}: {each}" for each in audited("issue again", order_id, by, issue)]


class Documents(NamedTuple):
    """What an order had of billing."""

    number: str
    invoiced_at: datetime
    #: None where it had no credit note.
    credit_note: str | None
    credited_at: datetime
    reason: str | None


def bill_again(body: Document, had: Documents, session: ClientSession) -> list[str]:
    """Issue the order's invoice and its credit note, if it had one, as they were.

    `body` is that of its `order.placed`. Returns what another order's number has prevented, and
    what may be different; raises what `lost_numbers.issue_again` does.
    """
    if not lost_numbers.issue_again(body, had.number, had.invoiced_at, session):
        return [OTHERS_NUMBER.format(kind="its invoice", number=had.number)]
    rate = lost_numbers.other_rate(had.number, session)
    problems = [] if rate is None else [OTHER_RATE.format(number=had.number, rate=rate)]
    order_id, credit_note = read_placed(body).order_id, had.credit_note
    if credit_note and not lost_numbers.credit_again(
        order_id, credit_note, had.reason, had.credited_at, session
    ):
        problems.append(OTHERS_NUMBER.format(kind="its credit note", number=credit_note))
    return problems


def put_back_whole(whole: Whole, by: str, left: Left) -> None:
    """The order, with its invoice and credit note where a message tells the invoice's number: else
    it gets new ones.
    """
    now = now_in_milliseconds()
    cancelled = {"at": now, "reason": whole.reason} if whole.is_cancelled else None
    owed = issued(read_placed(whole.body), whole.number or "", now)

    def put(session: ClientSession) -> list[str]:
        rebuilding.rebuild(owed, cancelled, session)
        if not whole.number:
            return []
        had = Documents(
            whole.number,
            whole.invoiced_at or rebuilding.placed_at(ObjectId(whole.order_id)),
            whole.credit_note,
            whole.credited_at or now,
            whole.reason,
        )
        return bill_again(whole.body, had, session)

    try:
        problems = audited("put back", whole.order_id, by, put)
    except DuplicateKeyError:
        return  # Another run of the command was first.
    left += [f"order {whole.order_id}: {each}" for each in problems]


def put_back(invoice: Document, by: str) -> None:
    cancelled = cancellation_of(invoice)
    try:
        audited(
            "put back",
            invoice["_id"],
            by,
            lambda session: rebuilding.rebuild(invoice, cancelled, session),
        )
    except DuplicateKeyError:
        return  # Another run of the command was first.


def cancellation_of(invoice: Document) -> Document | None:
    """Whether the order was cancelled, by what the services recorded; a rejected one was not."""
    reservation = reservations().find_one({"_id": invoice["_id"]}) or {}
    is_released = reservation.get("state") == "released"
    if not is_released and (
        invoice["state"] != "credited" or reservation.get("state") == "rejected"
    ):
        return None
    at = reservation.get("released_at") or invoice["credited_at"]
    return {"at": at, "reason": invoice["credit_reason"]}


def cancel(order: Document, reason: str | None, by: str) -> None:
    cancelling.cancel(order["_id"], reason or REASON)
    audited("cancel", order["_id"], by)


def reserve(order: Document, by: str, left: Left) -> None:
    if lacking := rejecting.reserve_after_all(str(order["_id"])):
        left.append(f"order {order['_id']}: it was shipped, and the stock lacks {lacking}: restock")
    else:
        audited("reserve", order["_id"], by)


def release_all(alone: list[Document], by: str, waiting: Waiting, left: Left) -> None:
    """It is not known what the orders cost, so they cannot be restored."""
    if alone and (why := waiting.why_not_idle("billing")):
        left.append(f"{len(alone)} reservation(s) without order: {why}")
        return
    for reservation in alone:
        with left.out(f"order {reservation['_id']}"):
            releasing.release(asked_by(reservation))
            audited("release", reservation["_id"], by)


def asked_by(document: Document) -> PlacedOrder:
    """What an order, or a reservation, wants of the stock."""
    quantities = {line["sku"]: int(line["quantity"]) for line in document["items"]}
    return PlacedOrder(str(document["_id"]), int(document["user_id"]), quantities)


def replay_lost(records: list[Document], by: str, waiting: Waiting, left: Left) -> None:
    """Replay what an operator has replayed and RabbitMQ has lost."""
    failed_again = []
    for record in records:
        if why := waiting.why_not_idle(str(record["service"]), "replay_outcomes"):
            left.append(f"failed message {record['_id']}: {why}")
        elif fail_again(record, by):
            failed_again.append(record["_id"])
    if failed_again:
        replay(failed_again, by, REASON, approved=True)


def fail_again(record: Document, by: str) -> bool:
    """Whether it was still being replayed, and has failed now."""
    being_replayed = {
        "_id": record["_id"],
        "status": Status.REPLAYING,
        "replay.id": record["replay"]["id"],
    }
    change = {
        "$set": {"status": Status.FAILED},
        "$push": {"history": act("replay lost", by, REASON, REPLAY_LOST)},
    }

    def fail(session: ClientSession) -> bool:
        is_changed = failed_messages().update_one(being_replayed, change, session=session)
        if is_changed.modified_count:
            before, after = {"status": Status.REPLAYING}, {"status": Status.FAILED}
            audit.note(
                session, "replay lost", audit.MESSAGE, record["_id"],
                by=by, reason=REASON, before=before, after=after,
            )  # fmt: skip
        return bool(is_changed.modified_count)

    return in_transaction(fail)


def sendable(unheard: list[Unheard], waiting: Waiting, left: Left) -> list[Unheard]:
    """Those that no answer is on its way to.

    An answer of billing that waits for orders may have the number of an invoice that is lost: with
    another one the order would have two.
    """
    if "orders" not in waiting.ready:
        return unheard
    others = [each for each in unheard if (each[0], each[2]) != ("billing", "order.placed")]
    if held := len(unheard) - len(others):
        why = BUSY.format("orders")
        left.append(f"{held} event(s) order.placed to billing: {why}")
    return others


def send_again(unheard: list[Unheard], by: str, left: Left) -> None:
    """Each to its one service; consumers are idempotent."""
    if not unheard:
        return
    by_event: dict[tuple[str, str], list[str]] = defaultdict(list)
    for service, order, type_ in unheard:
        by_event[service, type_].append(str(order["_id"]))
    with Publisher(settings.AMQP_URL) as publisher:
        for (service, type_), order_ids in by_event.items():
            for some in in_batches(order_ids, SENT_AT_ONCE):
                sent = events_again.send_again(service, type_, some, publisher)
                note_sent(service, type_, sent, by)
                left += [
                    f"order {each}: its {type_} to {service} cannot be made; the log says why"
                    for each in some
                    if each not in sent
                ]


def note_sent(service: str, type_: str, order_ids: set[str], by: str) -> None:
    after = {"service": service, "type": type_}
    changes: list[audit.Change] = [(each, {}, after) for each in sorted(order_ids)]
    if changes:
        in_transaction(
            lambda session: audit.note_each(
                session, "send again", audit.RESTORE, changes, by=by, reason=REASON
            )
        )
