"""Where in a trace something happens, as W3C's Trace Context names it.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

PARENT, STATE = "traceparent", "tracestate"

#: Version, trace, span and flags; none of a later version's further fields is read.
_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?",
    re.ASCII,
)
_STATE = re.compile(r"[\x20-\x7e]{1,512}", re.ASCII)
SAMPLED = 1


class TraceContext(NamedTuple):
    """A span of a trace: one of ours, or the caller's that named it."""

    trace_id: str
    span_id: str
    is_sampled: bool
    #: What systems on the way have noted; empty where they have not.
    state: str = ""
    #: The SDK's span, where it is one of ours.
    span: Any = None

    def headers(self) -> dict[str, str]:
        """As a request or a message carries it."""
        parent = f"00-{self.trace_id}-{self.span_id}-0{int(self.is_sampled)}"
        return {PARENT: parent, STATE: self.state} if self.state else {PARENT: parent}


#: Of what is done here; None where that is part of no trace.
current: ContextVar[TraceContext | None] = ContextVar("trace_context", default=None)


def read(headers: Mapping[str, object]) -> TraceContext | None:
    """What the headers say; None where they name no trace, or not as they should."""
    if (parent := headers.get(PARENT)) is None:
        return None
    found = _PARENT.fullmatch(parent) if isinstance(parent, str) else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    state = headers.get(STATE)
    is_good = isinstance(state, str) and _STATE.fullmatch(state)
    return TraceContext(
        trace_id=found[2],
        span_id=found[3],
        is_sampled=bool(int(found[4], 16) & SAMPLED),
        state=str(state) if is_good else "",
    )


def current_trace_id() -> str:
    """Of what is done here; empty where that is part of no trace."""
    here = current.get()
    return here.trace_id if here else ""
