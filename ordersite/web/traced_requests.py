"""A span for each request of a recorded trace; where none is recorded, this is not in the way.

Names and attributes follow https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from django.conf import settings

from ordersite.web.body import Event, Receive
from ordersite.web.in_threads import Send
from ordersite.web.request_scope import WRITE_WHOLE
from runtime.requests import request_id
from runtime.tracing import context, spans
from runtime.tracing.context import PARENT, STATE, TraceContext
from runtime.tracing.spans import Kind

Application = Callable[[Event, Receive, Send], Awaitable[None]]

PARENT_FIELD = PARENT.encode()
FIELDS = {PARENT_FIELD: PARENT, STATE.encode(): STATE}
FIRST_SERVER_ERROR = 500


class ServerError(Exception):
    """The answer says that the site is at fault."""


class Traced:
    """Lets the application answer each request of a recorded trace inside of its span."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._samples: Callable[[TraceContext | None], bool] = settings.TRACE_SAMPLER.samples

    def __call__(self, scope: Event, receive: Receive, send: Send) -> Awaitable[None]:
        """Not a coroutine itself: a request that is not traced is the application's at once."""
        if scope["type"] != "http":
            return self._application(scope, receive, send)
        caller = caller_of(scope)
        if self._samples(caller):
            return self._in_span(caller, scope, receive, send)
        if caller is None:
            return self._application(scope, receive, send)
        return self._unrecorded(caller, scope, receive, send)

    async def _unrecorded(
        self, caller: TraceContext, scope: Event, receive: Receive, send: Send
    ) -> None:
        """The caller named a trace: logs, problems and messages name it as well."""
        token = context.current.set(caller._replace(is_sampled=False))
        try:
            await self._application(scope, receive, send)
        finally:
            context.current.reset(token)

    async def _in_span(
        self, caller: TraceContext | None, scope: Event, receive: Receive, send: Send
    ) -> None:
        attributes = {
            "http.request.method": scope["method"],
            "url.path": scope["path"],
            "url.scheme": scope["scheme"],
            "network.protocol.version": scope["http_version"],
        }
        # It would pass the answer by, and with it its status.
        scope.pop(WRITE_WHOLE, None)
        status = 0

        async def send_on(event: Event) -> None:
            nonlocal status
            status = event.get("status", status)
            await send(event)

        here = spans.begin(scope["method"], Kind.SERVER, caller, attributes)
        token = context.current.set(here)
        try:
            await self._application(scope, receive, send_on)
        finally:
            seen = {"ordersite.request_id": request_id.in_logs()}
            spans.note({**seen, "http.response.status_code": status} if status else seen)
            failed = status == 0 or status >= FIRST_SERVER_ERROR
            spans.end(here, ServerError(f"answered with {status or 'nothing'}") if failed else None)
            context.current.reset(token)


def caller_of(scope: Event) -> TraceContext | None:
    """The span that the request names, if it names one."""
    for field in scope["headers"]:
        if field[0] == PARENT_FIELD:
            return context.read(named_by(scope))
    return None


def named_by(scope: Event) -> dict[str, str]:
    """The fields about a trace; none where one of them is there twice."""
    named: dict[str, str] = {}
    for field, value in scope["headers"]:
        if name := FIELDS.get(field):
            if name in named:
                return {}
            named[name] = value.decode("latin1")
    return named


def name_route(route: str) -> None:
    """Note which route answers the request, if one does: its span is named after it."""
    here = context.current.get()
    if route and here is not None and here.span is not None:
        # A request that the fast path leaves to the view is named twice.
        method = here.span.name.partition(" ")[0]
        here.span.update_name(f"{method} {route}")
        spans.note({"http.route": route})
