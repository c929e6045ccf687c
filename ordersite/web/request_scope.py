"""What the site knows of a request before its body is read, beside its ASGI scope."""

from __future__ import annotations

import time
from collections.abc import Callable

from ordersite.web.body import Event
from runtime.requests import request_id

#: Where in the scope its caller is: the one that was found by the same header a moment ago, or None
#: …
CALLER = "ordersite.caller"
#: … and the header fields that its answer gets, on every way: its id, its client's rate.
ANSWER_FIELDS = "ordersite.answer"
#: … and since when it is answered, on `time.perf_counter`'s clock
BEGAN = "ordersite.began"
#: … and what writes its whole answer in one piece, where the server can, see `WriteWhole`.
WRITE_WHOLE = "ordersite.write_whole"

#: Writes an answer of this status, these header lines (each with its line end) and this body; False
#: where nothing was written, as the ordinary way has to be gone.
WriteWhole = Callable[[int, bytes, bytes], bool]

Fields = tuple[tuple[bytes, bytes], ...]


def address_of(scope: Event) -> str:
    """Where the client is; the same for all where that is not known."""
    client = scope.get("client")
    return client[0] if client else ""


def answer_fields(scope: Event) -> Fields:
    fields: Fields = scope.get(ANSWER_FIELDS, ())
    return fields


def identify(scope: Event) -> None:
    """Give the request its id, for its logs and for its answer, and note when it began."""
    given = None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value
    id_ = request_id.named(given)
    request_id.current.set(id_)
    scope[ANSWER_FIELDS] = ((b"x-request-id", id_),)
    scope[BEGAN] = time.perf_counter()
