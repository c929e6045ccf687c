"""Releases a cancelled order's stock, or prevents its reservation.

A cancellation and its order arrive in either sequence; both end with the state "released" and no
stock promised. A cancellation that is first leaves its reservation as a tombstone, which is what
`reserve` then finds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pymongo.client_session import ClientSession

from inventory.order_in_message import PlacedOrder
from inventory.reserving import Reservation, move_lines, recorded, reservations, reserved
from inventory.stock import Kind
from messaging.errors import PermanentError
from runtime.moment import exact
from runtime.transactions import in_transaction


def release(order: PlacedOrder) -> Reservation:
    """Put the units of the cancelled order back, once, and return what is recorded.

    The units are those that the reservation holds, whatever `order` says of its lines.

    Raises:
        PermanentError: the order was shipped, so that a person has to take the goods back.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def release_once(session: ClientSession) -> Reservation:
        reservation = recorded(order.order_id, session)
        if reservation is None:
            tombstone = reserved(order) | _released()
            reservations().insert_one(tombstone, session=session)
            return tombstone
        return _give_back(reservation, session)

    return in_transaction(release_once)


def _give_back(reservation: Reservation, session: ClientSession) -> Reservation:
    if reservation["state"] == "released":
        return reservation
    if reservation["state"] == "shipped":
        raise PermanentError(
            f"Order {reservation['_id']} was shipped at {exact(reservation['shipped_at'])}, "
            "so its cancellation came too late. When the goods are back restock them in the "
            "admin; then discard this message."
        )
    if reservation["state"] == "reserved":
        move_lines(Kind.RELEASE, reservation, session)
    change = _released()
    reservations().update_one({"_id": reservation["_id"]}, {"$set": change}, session=session)
    return reservation | change


def _released() -> Reservation:
    return {"state": "released", "released_at": datetime.now(UTC)}
