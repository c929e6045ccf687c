"""The pieces of HTML that the admin shows about an order; every value in them is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from runtime.moment import exact


def label(state: str) -> SafeString:
    """The state as a word in its colour; the colours are in `orders/admin.css`."""
    return format_html('<span class="state state-{}">{}</span>', state, state)


def moment(at: datetime | None) -> str:
    """`2026-01-31 12:00:00 UTC`, or a dash for what has not happened.

    The ledger's dates come without a zone, in UTC.
    """
    if at is None:
        return "-"
    return exact(at)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> SafeString:
    """A table of cells under these heads, in a box that scrolls where it is too wide."""
    return format_html(
        '<div class="wide"><table class="facts">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows)),
    )


def _cells(row: Sequence[Any]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((value,) for value in row))
