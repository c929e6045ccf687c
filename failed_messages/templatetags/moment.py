"""Moments in templates, beside Django's own filter `date` with its "DATETIME_FORMAT"."""

from __future__ import annotations

from django import template

from runtime import moment

register = template.Library()
register.filter("to_the_millisecond", moment.to_the_millisecond)


@register.filter
def for_people(text: object) -> str:
    """Text of anybody, with the moments in it as everywhere."""
    return moment.for_people(str(text))
