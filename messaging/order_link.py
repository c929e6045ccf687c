"""An order's id as a link to its page in the admin."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.order_id import canonical, object_id

#: A foreign publisher's id may be as long as it likes.
SHOWN_CHARACTERS = 100


def order_link(order_id: str | None) -> SafeString | str:
    """The link; an id that none of our orders can have, as text; a dash for none."""
    if not order_id:
        return "-"
    if object_id(order_id) is None:
        return order_id[:SHOWN_CHARACTERS]
    url = reverse("admin:orders_order_change", args=[canonical(order_id)])
    return format_html('<a href="{}">{}</a>', url, order_id)
