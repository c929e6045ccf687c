"""When something was or will be, as lists of the desk have it, with the exact time below it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.html import format_html

from failed_messages.reading.headline import span
from runtime.moment import exact
from runtime.mongodb_clock import about_now


def ago(at: datetime) -> str:
    """HTML: "3 minutes ago", and when that was."""
    passed = max(about_now() - at, timedelta(0))
    return format_html("{} ago<br><small>{}</small>", span(passed), exact(at))


def to_come(at: datetime, now: datetime) -> str:
    """HTML: "in 12 s", or "due for 3 min", and when that is."""
    said = f"in {span(at - now)}" if at > now else f"due for {span(now - at)}"
    return format_html("{}<br><small>{}</small>", said, exact(at))
