"""Draws what belongs to an order, and what can be done with it, on its page in the admin."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from django import template

from inventory.permissions import SHIP
from orders.collection import orders
from ordersite.workplace.acts import CANCEL, MAX_CHARACTERS
from ordersite.workplace.related import related, reservation_state
from runtime.tracing.link import trace_link

register = template.Library()

#: Its goods have left, or nothing is to be taken back any more.
ENDED = ("shipped", "cancelled")


@register.inclusion_tag("ordersite/workplace.html")
def order_workplace(order_id: ObjectId) -> dict[str, Any]:
    order = orders().find_one(order_id)
    if order is None:
        return {}
    return {
        "order_id": str(order_id),
        "related": related(order),
        "notes": order.get("notes") or [],
        "trace": trace_link(order.get("trace") or {}),
    }


@register.inclusion_tag("ordersite/order_acts.html", takes_context=True)
def order_acts(context: Any, order_id: ObjectId) -> dict[str, Any]:
    order = orders().find_one(order_id, {"status": True})
    if order is None:
        return {}
    user = context["request"].user
    may_change = user.has_perm(CANCEL)
    return {
        "order_id": str(order_id),
        "may_note": may_change,
        "may_cancel": may_change and order.get("status") not in ENDED,
        "may_ship": user.has_perm(SHIP)
        # Inventory may not have heard of a cancellation yet.
        and order.get("status") not in ENDED
        and reservation_state(str(order_id)) == "reserved",
        "most": MAX_CHARACTERS,
        "csrf_token": context.get("csrf_token"),
    }
