"""The trace that something stored is part of, for the pages about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings

from runtime.tracing import context

PLACEHOLDER = "{trace_id}"


class TraceLink(NamedTuple):
    """A trace's id, and its page."""

    trace_id: str
    #: Empty where `TRACE_URL` is not set, or nobody has recorded the trace.
    url: str


def trace_link(headers: Mapping[str, object]) -> TraceLink | None:
    """Of the trace that the headers name; None where they name none."""
    trace = context.read(headers)
    if trace is None:
        return None
    url = settings.TRACE_URL.replace(PLACEHOLDER, trace.trace_id) if trace.is_sampled else ""
    return TraceLink(trace.trace_id, url)
