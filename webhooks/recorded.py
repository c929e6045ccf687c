"""Which orders were noted, for messages of an unknown publisher."""

from __future__ import annotations

from collections.abc import Collection

from webhooks.events import WebhooksNoted, noted_body
from webhooks.noting import FIRST_TYPE
from webhooks.store import noted_orders


def bodies(type_: str, order_ids: Collection[str]) -> dict[str, WebhooksNoted]:
    """The bodies of this type's events, by order id; nothing for those that never happened."""
    # Those of an earlier release have no types, and stored no other.
    placed = {"$in": [FIRST_TYPE, None]}
    found = noted_orders().find({"_id": {"$in": [*order_ids]}, "types": placed})
    return {each["_id"]: noted_body(each) for each in found}
