"""Draws what belongs to an order, and what can be done with it, on its page in the admin."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from django import template

from orders.collection import orders
from ordersite.workplace.acts import MAX_CHARACTERS, effect_of_cancelling, offered
from ordersite.workplace.related import related
from runtime.tracing.link import trace_link

register = template.Library()


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
    acts = offered(context["request"].user, order)
    return {
        "order_id": str(order_id),
        "offered": acts,
        "effect": effect_of_cancelling(str(order_id)) if "cancel" in acts else "",
        "most": MAX_CHARACTERS,
        "csrf_token": context.get("csrf_token"),
    }
