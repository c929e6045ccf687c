"""A user's number as a link to the user's orders in the admin."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.order_link import SHOWN_CHARACTERS
from runtime.requests.number import number_in


def user_link(user_id: int | str | None) -> SafeString | str:
    """The link; what none of our users can be, as text; a dash for none."""
    if user_id in (None, ""):
        return "-"
    if number_in(str(user_id)) is None:
        return str(user_id)[:SHOWN_CHARACTERS]
    url = reverse("admin:orders_order_changelist")
    return format_html('<a href="{}?q={}">{}</a>', url, user_id, user_id)
