"""Draws an order's timeline on its page in the admin."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from django import template

from failed_messages.records.permissions import DISCARD, REPLAY, may
from orders.collection import orders
from ordersite.pipeline.timeline import as_json, digest, timeline

register = template.Library()


@register.inclusion_tag("ordersite/timeline.html", takes_context=True)
def order_timeline(context: Any, order_id: ObjectId) -> dict[str, Any]:
    order = orders().find_one(order_id)
    if order is None:
        return {}
    drawn = timeline(order)
    user = context["request"].user
    return {
        "timeline": drawn,
        "digest": digest(as_json(drawn)),
        "may_retry": may(user, REPLAY),
        "may_stop": may(user, DISCARD),
    }
