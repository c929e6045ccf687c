"""An order's id in templates: a link, if it is of an order that there is."""

from __future__ import annotations

from collections.abc import Container

from django import template
from django.utils.safestring import SafeString

from messaging import order_link as link

register = template.Library()


@register.simple_tag
def order_link(order_id: str | None, known: Container[str]) -> SafeString | str:
    """`known` are the ids of those of the page's orders that there are."""
    return link.order_link(order_id, known)
