"""A user's number as a link, in templates."""

from __future__ import annotations

from django import template

from messaging import user_link

register = template.Library()
register.simple_tag(user_link.user_link)
