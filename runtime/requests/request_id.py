"""What a request is called in its answer (`X-Request-Id`) and in the logs about it.

A client or a proxy may have named it. Otherwise it gets a name that no other request has.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from itertools import count

HEADER = "X-Request-Id"

#: Of the request that is being answered here; empty where none is.
current: ContextVar[str] = ContextVar("request_id", default="")

#: A UUID, a trace's id, whatever proxies make; nothing that could end a header or hide in a log.
_GOOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:+/=@-]{0,127}")

_process = os.urandom(8).hex()
_numbers = count(1)


def named(given: str | None) -> str:
    """The client's name for the request, or a new one where that is none or no good one."""
    if given is not None and _GOOD.fullmatch(given):
        return given
    return f"{_process}-{next(_numbers):x}"
