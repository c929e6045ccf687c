"""When something was, as lists of the desk have it: how long ago, and the exact time below it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.html import format_html

from failed_messages.reading.headline import span
from runtime.moment import exact


def ago(at: datetime) -> str:
    """HTML: "3 minutes ago", and when that was."""
    passed = max(datetime.now(UTC) - at, timedelta(0))
    return format_html("{} ago<br><small>{}</small>", span(passed), exact(at))
