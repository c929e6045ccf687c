"""What a request is called in its answer (`X-Request-Id`) and in the logs about it.

A client or a proxy may have named it. Otherwise it gets a name that no other request has.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from itertools import count

HEADER = "X-Request-Id"

#: Of the request that is being answered here; empty where none is. As bytes, which every request
#: needs; its logs need text.
current: ContextVar[bytes] = ContextVar("request_id", default=b"")

#: A UUID, a trace's id, whatever proxies make; nothing that could end a header or hide in a log.
_GOOD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._~:+/=@-]{0,127}")

_process = os.urandom(8).hex().encode()
_numbers = count(1)


def named(given: bytes | None) -> bytes:
    """The client's name for the request, or a new one where that is none or no good one."""
    if given is not None and _GOOD.fullmatch(given):
        return given
    return b"%b-%x" % (_process, next(_numbers))


def in_logs() -> str:
    """What the logs call the request that is being answered here; empty where none is."""
    return current.get().decode()
