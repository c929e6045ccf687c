"""An order's id as a link to its page in the admin."""

from __future__ import annotations

from collections.abc import Container

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.order_id import canonical, object_id

#: A foreign publisher's id may be as long as it likes.
SHOWN_CHARACTERS = 100


def order_link(
    order_id: str | None, known: Container[str | None] | None = None
) -> SafeString | str:
    """The link; an id that none of our orders can have, as text; a dash for none.

    `known` has the ids that lead to a page, where others may be like ours and of no order.
    """
    if not order_id:
        return "-"
    if object_id(order_id) is None or (known is not None and order_id not in known):
        return order_id[:SHOWN_CHARACTERS]
    url = reverse("admin:orders_order_change", args=[canonical(order_id)])
    return format_html('<a href="{}">{}</a>', url, order_id)
