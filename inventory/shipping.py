"""Ships a reserved order's units, and publishes that.

A person ships, through the API or the admin, so there is no handler whose event messaging would
publish before an ack. The event waits in the reservation itself instead, as in every outbox
(`messaging.publishing.outbox`), and the scheduler publishes what waits. Asking RabbitMQ from the
view as well would inform the others a second or two earlier, and would make shipping as slow as a
broker that is down.

RabbitMQ may still lose what it has confirmed, and nothing of an order awaits a shipment. So the
reservation keeps `unheard_since` until the reconciler has seen that orders noted it; what orders
never noted waits to be published once more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from inventory import consent, events
from inventory.movements import movement_id, movements
from inventory.refusals import NotDone, NotReserved, StockDiffers, UnknownReservation
from inventory.reserving import Reservation, move_lines, recorded, reservations
from inventory.stock import Kind
from messaging.errors import TransientError
from messaging.isolation import isolated
from messaging.publishing.outbox import IS_PENDING, publish_pending
from messaging.publishing.publisher import Outgoing, Publisher, check_publishable
from messaging.service import exchange_of
from runtime.moment import exact
from runtime.mongodb_clock import EPOCH
from runtime.tracing import context
from runtime.transactions import in_transaction

BATCH_RESERVATIONS = 500

#: Of the reason to ship an order for which another service failed, with that failure.
MAX_ANYWAY_CHARACTERS = 1_000

UNPUBLISHABLE = (
    "That order %s was shipped cannot be published, so orders does not hear of it; the others are "
    "published. Correct the reservation, or unset its pending_since."
)

logger = logging.getLogger(__name__)


class Shipment(NamedTuple):
    """A reservation that is shipped, by this call or by an earlier one."""

    reservation: Reservation
    #: Who shipped it; None where the log does not say.
    by: str | None
    is_repeated: bool

    @property
    def said(self) -> str:
        """The message for the user who asked for it."""
        order = f"Order {self.reservation['_id']} was shipped"
        if not self.is_repeated:
            return f"{order}."
        at = exact(self.reservation["shipped_at"])
        who = f" by {self.by}" if self.by else ""
        return f"{order} already, at {at}{who}. Nothing was shipped again."


def ship(order_id: str, by: str) -> Reservation:
    """What `send` does; returns what is recorded."""
    return send(order_id, by).reservation


def send(order_id: str, by: str, anyway: str = "", is_hasty: bool = True) -> Shipment:
    """Move the order's units from reserved to shipped, once.

    Shipping an order again changes nothing.

    Args:
        by: the user who ships it.
        anyway: why it is shipped although another service failed for it; empty where it is not.
        is_hasty: whether it is shipped without asking where another service has only not answered.

    Raises:
        UnknownReservation: inventory never heard of the order.
        NotReserved: it was rejected or cancelled.
        NotDone: another service failed for the order, still retries, or has not answered where that
            counts, and `anyway` is empty.
        StockDiffers: the stock is not where the reservation says.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def ship_once(session: ClientSession) -> Shipment:
        reservation = recorded(order_id, session)
        if reservation is None:
            raise UnknownReservation(order_id)
        if reservation["state"] == "shipped":
            return Shipment(reservation, _shipped_by(reservation, session), is_repeated=True)
        if reservation["state"] != "reserved":
            raise NotReserved(order_id, reservation["state"])
        obstacle = consent.obstacle(order_id)
        if obstacle and obstacle.is_only_late and is_hasty:
            obstacle = None
        if obstacle and not anyway:
            raise NotDone(order_id, obstacle)
        if not consent.note(order_id, session):
            raise NotReserved(order_id, "cancelled")
        try:
            move_lines(Kind.SHIP, reservation, session, by)
        except TransientError as error:
            # A person asks, who can recount the stock; no retry does.
            raise StockDiffers(str(error)) from error
        now = datetime.now(UTC)
        change: dict[str, Any] = {"state": "shipped", "shipped_at": now, "pending_since": now}
        if here := context.current.get():
            change["trace"] = here.headers()
        if obstacle:
            why = change["shipped_anyway"] = f"{anyway} ({obstacle.cause})"[:MAX_ANYWAY_CHARACTERS]
            consent.audit_anyway(order_id, by, why, session)
        reservations().update_one({"_id": order_id}, {"$set": change}, session=session)
        return Shipment(reservation | change, by, is_repeated=False)

    return in_transaction(ship_once)


def publish_waiting() -> int:
    """Publish the `inventory.shipped` events that wait; return how many it was.

    Raises:
        PublishError: RabbitMQ has not confirmed all; those that it has no longer wait.
    """
    waiting = list(_waiting())
    if not waiting:
        return 0
    ids = [reservation["_id"] for reservation, _ in waiting]
    with Publisher(settings.AMQP_URL) as publisher:
        publish_pending(
            publisher,
            [outgoing for _, outgoing in waiting],
            lambda indexes: _mark_published(ids[index] for index in indexes),
        )
    return len(waiting)


def documents() -> Collection[dict[str, Any]]:
    """Those in which shipments wait to be published."""
    return reservations()


def unheard(before: datetime) -> Iterator[str]:
    """Shipped orders whose event was published before then, oldest first.

    It is not known yet whether orders recorded it.
    """
    # With the condition of the partial index.
    published = {"unheard_since": {"$gt": EPOCH, "$lt": before}}
    found = reservations().find(published, {"_id": True}).sort("unheard_since", 1)
    return (each["_id"] for each in found)


def heard(order_ids: list[str]) -> None:
    """Orders has noted these shipments, or will never know of such orders."""
    reservations().update_many({"_id": {"$in": order_ids}}, {"$unset": {"unheard_since": ""}})


def publish_again(order_ids: list[str]) -> None:
    """Let the events of these shipments wait to be published once more, with the same ids."""
    reservations().update_many(
        {"_id": {"$in": order_ids}},
        {"$unset": {"unheard_since": ""}, "$currentDate": {"pending_since": True}},
    )


def _shipped_by(reservation: Reservation, session: ClientSession) -> str | None:
    first = movement_id(Kind.SHIP, reservation["_id"], reservation["items"][0]["sku"])
    movement = movements().find_one({"_id": first}, session=session)
    return movement["by"] if movement else None


def _waiting() -> Iterator[tuple[Reservation, Outgoing]]:
    """Those that wait longest, each with its event; one without a right event waits on."""
    # Only what a majority has: the rest may be gone with the primary, and was never shipped then.
    waiting = reservations().with_options(read_concern=ReadConcern("majority")).find(IS_PENDING)
    for reservation in waiting.sort("pending_since", 1).limit(BATCH_RESERVATIONS):
        with isolated(logger, UNPUBLISHABLE, reservation["_id"]):
            outgoing = _outgoing(reservation)
            check_publishable(outgoing)
            yield reservation, outgoing


def _outgoing(reservation: Reservation) -> Outgoing:
    message = events.shipped(reservation)
    return Outgoing(message, exchange_of(message.type).name, message.type)


def _mark_published(order_ids: Iterable[str]) -> None:
    reservations().update_many(
        {"_id": {"$in": [*order_ids]}},
        {"$unset": {"pending_since": ""}, "$currentDate": {"unheard_since": True}},
    )
