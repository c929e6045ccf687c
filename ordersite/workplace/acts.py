"""What an operator can do on an order's page: cancel it, ship it, note something about it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import reverse
from pymongo.client_session import ClientSession

from failed_messages.records import audit
from inventory.permissions import SHIP
from messaging.order_id import object_id
from orders import cancelling
from orders.collection import orders
from ordersite.workplace.related import invoice_state, reservation_state
from runtime.moment import exact
from runtime.mongodb_clock import mongodb_now
from runtime.requests.refusal import Refusal
from runtime.transactions import in_transaction

CANCEL = "orders.change_order"
#: Its goods have left, or nothing is to be taken back any more; of a cancellation inventory may not
#: have heard yet.
ENDED = ("shipped", "cancelled")
MAX_CHARACTERS = 500
#: What a cancellation does, by the state of the reservation, and of the invoice; None without one.
STOCK = {
    "reserved": "Its stock is released.",
    None: "No stock is reserved for it; what is reserved meanwhile is released.",
}
NO_STOCK = "It holds no stock."
INVOICE = {
    "issued": "Its invoice is credited.",
    "credited": "Its invoice is credited already.",
    None: "It has no invoice; one that is issued meanwhile is credited.",
}
NO_INVOICE = "It has no invoice."
#: Of one order; the oldest are left out then.
MOST_NOTES = 100
#: The same note within it is a second click, or the same page sent again.
A_MOMENT = timedelta(minutes=1)


def offered(user: Any, order: dict[str, Any]) -> set[str]:
    """Which of `note`, `cancel` and `ship` the user may do with the order, as it is now."""
    acts = {"note"} if user.has_perm(CANCEL) else set()
    if order.get("status") in ENDED:
        return acts
    if user.has_perm(CANCEL):
        acts.add("cancel")
    if user.has_perm(SHIP) and reservation_state(str(order["_id"])) == "reserved":
        acts.add("ship")
    return acts


def effect_of_cancelling(order_id: str) -> str:
    """What becomes of the order's stock and invoice, as they are now."""
    stock = STOCK.get(reservation_state(order_id), NO_STOCK)
    return f"{stock} {INVOICE.get(invoice_state(order_id), NO_INVOICE)}"


def act(request: HttpRequest, order_id: str, what: str) -> HttpResponse:
    """POST cancels the order or adds a note to it, and leads back to its page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(CANCEL):
        raise PermissionDenied
    key = object_id(order_id)
    if what not in ACTS or key is None or orders().find_one({"_id": key}, {"_id": True}) is None:
        raise Http404("there is no such order, or no such act")
    text = request.POST.get("text", "").strip()[:MAX_CHARACTERS]
    ACTS[what](request, key, text)
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[str(key)]))


def _cancel(request: HttpRequest, key: ObjectId, reason: str) -> None:
    before = orders().find_one({"_id": key}, {"cancellation": True}) or {}
    if earlier := before.get("cancellation"):
        said = f"{reason_of(earlier)}. It stays as it is, and nothing was noted."
        messages.warning(request, f"The order was cancelled before, {said}")
        return
    by = request.user.get_username()
    try:
        is_new = in_transaction(partial(cancel_audited, key, by, reason))
    except Refusal as refusal:
        messages.error(request, f"The order was not cancelled. {refusal.detail}")
        return
    if is_new:
        messages.success(request, "The order is cancelled.")
    else:
        messages.warning(request, "The order was cancelled a moment before, and nothing was noted.")


def _note(request: HttpRequest, key: ObjectId, text: str) -> None:
    if not text:
        messages.error(request, "The note is empty, so nothing was noted.")
        return
    if in_transaction(partial(note_audited, key, request.user.get_username(), text)):
        messages.success(request, "Noted.")
    else:
        messages.warning(request, "You have noted the same a moment ago, so it is noted once.")


def cancel_audited(key: ObjectId, by: str, reason: str, session: ClientSession) -> bool:
    """Cancel the order and note who did it, also in the audit log; False where somebody was first.

    Raises:
        Refusal: see `orders.cancelling.cancel`; nothing is noted then.
    """
    if orders().find_one({"_id": key, "status": "cancelled"}, {"_id": True}, session=session):
        return False
    cancelling.cancel(key, reason or None, session=session)
    add_note(key, by, f"cancelled: {reason}" if reason else "cancelled", session)
    audit.note(session, "cancel", audit.ORDER, key, by=by)
    return True


def note_audited(key: ObjectId, by: str, text: str, session: ClientSession) -> bool:
    """As `add_note`; the audit log has who noted something, and not the words: it keeps them for
    ever, and they may be about a person.
    """
    is_new = add_note(key, by, text, session)
    if is_new:
        audit.note(session, "note", audit.ORDER, key, by=by)
    return is_new


def add_note(key: ObjectId, by: str, text: str, session: ClientSession) -> bool:
    """Add a note; False where the same one was added a moment ago, as by a second click."""
    now = mongodb_now()
    note: dict[str, Any] = {"at": now, "by": by, "text": text}
    same = {"$elemMatch": {"by": by, "text": text, "at": {"$gt": now - A_MOMENT}}}
    added = orders().update_one(
        {"_id": key, "notes": {"$not": same}},
        {"$push": {"notes": {"$each": [note], "$slice": -MOST_NOTES}}},
        session=session,
    )
    return bool(added.modified_count)


def reason_of(cancellation: dict[str, Any]) -> str:
    """`at 2026-01-31 12:00:00 UTC (Ordered twice)`."""
    reason = cancellation.get("reason")
    return f"at {exact(cancellation['at'])}{f' ({reason})' if reason else ''}"


ACTS = {"cancel": _cancel, "note": _note}
