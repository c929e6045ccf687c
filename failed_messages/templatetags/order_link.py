"""An order's id as a link, in templates."""

from __future__ import annotations

from django import template

from messaging import order_link

register = template.Library()
register.simple_tag(order_link.order_link)
