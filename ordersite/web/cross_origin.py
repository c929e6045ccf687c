"""Pages of other sites that may use the API in a browser (CORS, https://fetch.spec.whatwg.org).

Here, before both ways of a request, and not in a middleware of Django's, past which orders go. Such
a page sends its key itself: no browser sends a login along, so the admin is nothing to it.
"""

from __future__ import annotations

from collections.abc import Collection

from ordersite.web import security_headers
from ordersite.web.body import Event
from ordersite.web.in_threads import Send
from ordersite.web.request_scope import ANSWER_FIELDS, Fields, answer_fields

ADMIN = "/admin/"
#: A browser asks again after so long.
MAX_AGE_SECONDS = 7200

VARIES = (b"vary", b"Origin")
#: What a page may read of an answer, beside what it always may.
READABLE = (
    b"access-control-expose-headers",
    b"ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, "
    b"WWW-Authenticate, X-Request-Id",
)
ASKED_BEFORE: Fields = (
    (b"access-control-allow-methods", b"DELETE, GET, PATCH, POST"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
        b"X-Request-Id, traceparent, tracestate",
    ),
    (b"access-control-max-age", b"%d" % MAX_AGE_SECONDS),
)


class CrossOrigin:
    """The origins whose pages may; with none of them nothing is answered otherwise."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(each.encode() for each in origins)

    def admits(self, scope: Event) -> bool:
        """Note in the answer's fields who may read it; whether the request's origin may."""
        if not self._origins or scope["path"].startswith(ADMIN):
            return False
        origin = field(scope, b"origin")
        is_admitted = origin in self._origins
        added: Fields = (VARIES,)
        if is_admitted:
            added = (VARIES, (b"access-control-allow-origin", origin), READABLE)
        scope[ANSWER_FIELDS] = (*answer_fields(scope), *added)
        return is_admitted


def is_preflight(scope: Event) -> bool:
    """Whether a browser asks what a page may send; it has no key with it."""
    is_asking = scope["method"] == "OPTIONS"
    return is_asking and field(scope, b"access-control-request-method") != b""


async def answer_preflight(scope: Event, send: Send) -> None:
    headers = [*security_headers.lines(), *answer_fields(scope), *ASKED_BEFORE]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def field(scope: Event, name: bytes) -> bytes:
    """The header's value; empty where there is none."""
    for each, value in scope["headers"]:
        if each == name:
            found: bytes = value
            return found
    return b""
