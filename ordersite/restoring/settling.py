"""Settles what was found, each in a transaction with its entry of the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
from bson import ObjectId
from django.conf import settings
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from billing import lost_numbers
from failed_messages.acting.replay import replay
from failed_messages.records import audit
from inventory import rejecting, releasing, shipping
from inventory.order import PlacedOrder
from inventory.refusals import Refusal
from inventory.reserving import reservations
from messaging.publishing.publisher import Outgoing, Publisher
from messaging.topology import by_name
from messaging.trust.records import recorded
from orders import cancelling, rebuilding
from orders.events import body_of
from orders.ledger import known
from orders.outbox import store
from orders.unanswered import event_again
from ordersite.restoring.findings import Document, Findings, chunks, never_taken, unrecorded
from runtime.requests.refusal import Refusal as OrderRefusal
from runtime.transactions import in_transaction

REASON = "A backup was restored that is older than this"
REPLAYS_AT_ONCE = 500


def settle(found: Findings, by: str, is_billing_idle: bool) -> list[str]:
    """Do what the plan says; returns what was left, and why. Doing it again changes nothing more.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends the rest.
        pymongo.errors.PyMongoError, Outage: MongoDB did not answer.
    """
    left: list[str] = []
    for order, number in found.uninvoiced:
        issue_again(order, number, by, left)
    for number in found.numbers:
        for step in lost_numbers.steps(number):
            audited("withhold", step, by, partial(lost_numbers.withhold, step))
    for invoice in found.lost:
        put_back(invoice, by)
    for order in found.taken_back:
        cancel(order, by, left)
    for order in found.unrejected:
        rejecting.reject(asked_by(order))
        audited("reject", order["_id"], by)
    for order in found.unshipped:
        ship(order, by, left)
    if is_billing_idle:
        for reservation in found.reserved_only:
            release(reservation, by)
    elif found.reserved_only:
        left.append("reservations without order: billing has messages waiting; run this again")
    send_again(found.unheard, by)
    replay_answers(by)
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


def issue_again(order: Document, number: str, by: str, left: list[str]) -> None:
    body = msgspec.to_builtins(body_of(order, "order.placed"))

    def issue(session: ClientSession) -> None:
        if not lost_numbers.issue_again(body, number, session):
            left.append(
                f"order {order['_id']}: its invoice {number} is lost, and the number is another "
                "order's by now: credit that one, and tell both customers"
            )

    audited("issue again", order["_id"], by, issue)


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


def cancel(order: Document, by: str, left: list[str]) -> None:
    try:
        cancelling.cancel(order["_id"], REASON)
    except OrderRefusal as refusal:
        left.append(f"order {order['_id']}: {refusal.detail}")
    else:
        audited("cancel", order["_id"], by)


def ship(order: Document, by: str, left: list[str]) -> None:
    try:
        shipping.send(str(order["_id"]), by)
    except Refusal as refusal:
        left.append(f"order {order['_id']}: {refusal.detail}")
    else:
        audited("ship", order["_id"], by)


def release(reservation: Document, by: str) -> None:
    """It is not known what the order costs, so it cannot be restored."""
    releasing.release(asked_by(reservation))
    audited("release", reservation["_id"], by)


def asked_by(document: Document) -> PlacedOrder:
    """What an order, or a reservation, wants of the stock."""
    quantities = {line["sku"]: int(line["quantity"]) for line in document["items"]}
    return PlacedOrder(str(document["_id"]), int(document["user_id"]), quantities)


def send_again(unheard: list[tuple[str, Document, str]], by: str) -> None:
    """Each to its one service; consumers are idempotent."""
    if not unheard:
        return
    with Publisher(settings.AMQP_URL) as publisher:
        publisher.publish(
            [
                Outgoing(store.message(order, event_again(order, type_)), by_name.name, service)
                for service, order, type_ in unheard
            ]
        )
    in_transaction(
        lambda session: audit.note_each(
            session,
            "send again",
            audit.RESTORE,
            [(order["_id"], {}, {"service": service, "type": t}) for service, order, t in unheard],
            by=by,
            reason=REASON,
        )
    )


def replay_answers(by: str) -> None:
    """Services' answers are replayed where what they are about is there again."""
    ids = [*of_orders_that_are_there(), *of_what_is_recorded_again()]
    for start in range(0, len(ids), REPLAYS_AT_ONCE):
        replay(ids[start : start + REPLAYS_AT_ONCE], by, REASON, approved=True)


def of_orders_that_are_there() -> Iterator[Any]:
    """The failed messages that found no order, where there is one now."""
    waiting = [each for each in never_taken() if ObjectId.is_valid(each["order_id"])]
    there = known([ObjectId(each["order_id"]) for each in waiting])
    yield from (each["_id"] for each in waiting if ObjectId(each["order_id"]) in there)


def of_what_is_recorded_again() -> Iterator[Any]:
    """The failed messages of which their service had no record, where it has one now."""
    for some in chunks(unrecorded()):
        for type_ in {each["type"] for each in some}:
            of_type = [each for each in some if each["type"] == type_]
            there = recorded(type_, [each["order_id"] for each in of_type])
            yield from (each["_id"] for each in of_type if each["order_id"] in there)
