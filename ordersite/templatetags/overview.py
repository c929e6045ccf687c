"""Draws a number of the overview with the link to the list behind it."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ordersite.overview.numbers import Number
from runtime.moment import exact

register = template.Library()


@register.simple_tag
def number(each: Number) -> SafeString:
    title = exact(each.at) if each.at else each.link.label
    return format_html('<a href="{}" title="{}">{}</a>', each.link.url, title, each.text)
