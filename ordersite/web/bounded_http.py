"""HTTP/1.1 as uvicorn reads it, within bounds: of bytes, of lines, and of time.

uvicorn bounds neither a request's head nor how long a client takes for it. The clock is checked
once a second for each connection, so that a request costs next to nothing more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from ordersite.web import security_headers
from ordersite.web.request_scope import WRITE_WHOLE
from runtime.requests import request_id
from runtime.requests.problem_type import ProblemType
from runtime.requests.problem_types import (
    ADDRESS_TOO_LONG,
    HEADERS_TOO_LARGE,
    MALFORMED_REQUEST,
    REQUEST_TIMEOUT,
    TOO_BUSY,
)

#: The request line and all headers; and what chunks have around their bytes.
MAX_HEAD_BYTES = 32 * 1024
MAX_TARGET_BYTES = 8 * 1024
MAX_HEADERS = 100
#: Requests on one connection that were sent before the first of them was answered.
MAX_PIPELINED = 100

#: From the first byte of a head, or from the connection's beginning, to the head's last byte.
HEAD_SECONDS = 10
#: A body may take so long …
BODY_SECONDS = 20
#: … and a second more for each so many bytes that came.
BODY_BYTES_A_SECOND = 8 * 1024
#: A client that takes nothing of its answer.
WRITE_SECONDS = 30
#: Who was refused may send so much more, which is discarded. Most clients send all of a request
#: before they read the answer, and a connection that is closed meanwhile gives them none.
LINGER_SECONDS = 10
LINGER_BYTES = 32 * 1024 * 1024

#: Headers, and what Connection says of them.
OF_AN_UPGRADE = (b"upgrade", b"http2-settings")

CHECK_SECONDS = 1.0
#: Connections that are checked to find one that may be closed for a new one.
CHECKED_CONNECTIONS = 100

MALFORMED = "The request is malformed, so it was not read."
TOO_MANY_BYTES = f"The headers have more than {MAX_HEAD_BYTES:,} bytes. Send fewer or shorter ones."
TOO_MANY_LINES = f"There are more than {MAX_HEADERS} headers. Send fewer."
LONG_TARGET = f"The address has more than {MAX_TARGET_BYTES:,} bytes. Send a shorter one."
LATE = "The request did not arrive in time. Send it again, without a pause."
FULL = "The site has its largest number of connections. Try again in a second."


class TooMuch(Exception):
    """The head is beyond its bounds; the parser stops where it is raised."""

    def __init__(self, problem_type: ProblemType, detail: str) -> None:
        super().__init__(detail)
        self.problem_type = problem_type
        self.detail = detail


class BoundedHTTP(HttpToolsProtocol):
    """One connection."""

    #: Of all connections; `serve` sets it by the system's limit of open files.
    max_connections = 2_000

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._head_bytes = 0
        #: When the head, or then the body, began; None between two requests.
        self._since: float | None = None
        self._body_bytes = 0
        #: Of a body, all that came; so chunks' sizes, extensions and trailers, too.
        self._sent_bytes = 0
        #: What came of a request that was answered before its end.
        self._left_over_bytes = 0
        self._unread_since: float | None = None
        #: Of an answer that is not taken as fast as it is given, at the last check.
        self._unread_bytes = 0
        self._is_refused = False
        self._too_much: TooMuch | None = None
        #: The request that is being answered; `cycle` is the last one that came.
        self._at_work: RequestResponseCycle | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- what uvicorn's event loop calls ------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check_the_clock)
        if len(self.connections) > self.max_connections and not self._makes_room():
            self._refuse(TOO_BUSY, FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._tell_of_the_end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused or (self.cycle and self.cycle.response_complete and not self._in_head):
            self._discard(data)
            if self._is_refused or self._is_chunked():
                return
        if not self._in_head:
            self._sent_bytes += len(data)
        else:
            if self._since is None:
                self._since = self.loop.time()
            self._head_bytes += len(data)
        self._read(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(HEADERS_TOO_LARGE, TOO_MANY_BYTES)
        elif not self._in_head and self._sent_bytes - self._body_bytes > MAX_HEAD_BYTES:
            self._refuse(MALFORMED_REQUEST, MALFORMED)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = None

    def _read(self, data: bytes) -> None:
        """As uvicorn has it, which loses the body of a request that asks for another protocol."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response(MALFORMED)
        except HttpParserUpgrade as stopped:
            self._read_without_upgrade(data[stopped.args[0] :])

    def _read_without_upgrade(self, rest: bytes) -> None:
        """Read the request as one of HTTP/1.1, as a server may.

        Java's client and `curl --http2` ask for HTTP/2 with their first request, and the parser
        takes what comes after its head for that protocol.
        https://www.rfc-editor.org/rfc/rfc9110#section-7.8
        """
        line = (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%b %b HTTP/%b" % line, *(b"%b: %b" % each for each in of_http_1(self.headers))]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._read(b"\r\n".join([*lines, b"", rest]))

    def _asks_for_another_protocol(self) -> bool:
        """CONNECT does by its method, so that nothing of HTTP/1.1 is left of it."""
        if self.parser.get_method() == b"CONNECT":
            self._stop(MALFORMED_REQUEST, MALFORMED)
        return bool(self.parser.should_upgrade())

    # --- what the parser calls ----------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._since is None:
            # It came with the end of the request before it.
            self._since = self.loop.time()
            self._head_bytes = 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self._asks_for_another_protocol():
            return
        if len(self.headers) > MAX_HEADERS:
            self._stop(HEADERS_TOO_LARGE, TOO_MANY_LINES)
        if len(self.url) > MAX_TARGET_BYTES:
            self._stop(ADDRESS_TOO_LONG, LONG_TARGET)
        # What came with the head may be a body's beginning.
        if self._head_bytes > MAX_HEAD_BYTES and self._exact_head_bytes() > MAX_HEAD_BYTES:
            self._stop(HEADERS_TOO_LARGE, TOO_MANY_BYTES)
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(MALFORMED_REQUEST, MALFORMED)
        self._in_head = False
        self._since = self.loop.time()
        self._body_bytes = self._sent_bytes = self._left_over_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._asks_for_another_protocol():
            return
        self._in_head = True
        self._head_bytes = 0
        self._since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head and self._is_chunked():
            # Such a body is never accepted, and its chunks could go on for ever.
            self._read_no_more()

    def send_400_response(self, msg: str) -> None:
        """The parser gave up, or we have stopped it."""
        if self._too_much:
            self._refuse(self._too_much.problem_type, self._too_much.detail)
        else:
            self._refuse(MALFORMED_REQUEST, MALFORMED)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._at_work = cycle
        cycle.scope[WRITE_WHOLE] = partial(write_whole, cycle)  # type: ignore[literal-required]
        super()._start_asgi_task(cycle, app)

    # --- bounds ---------------------------------------------------------------------------------

    def _stop(self, problem_type: ProblemType, detail: str) -> None:
        self._too_much = TooMuch(problem_type, detail)
        raise self._too_much

    def _exact_head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _is_chunked(self) -> bool:
        return any(name == b"transfer-encoding" for name, _ in self.headers)

    def _discard(self, data: bytes) -> None:
        self._left_over_bytes += len(data)
        if self._left_over_bytes > LINGER_BYTES:
            self.abort()

    def _check_the_clock(self) -> None:
        now = self.loop.time()
        if self._is_unread(now):
            self.abort()
        elif self._since is not None and self._is_late(now - self._since):
            self._give_up()
        else:
            self._timer = self.loop.call_later(CHECK_SECONDS, self._check_the_clock)

    def _is_unread(self, now: float) -> bool:
        """Whether the client has taken nothing of its answer for too long."""
        unread, before = self.transport.get_write_buffer_size(), self._unread_bytes
        self._unread_bytes = unread
        # The end of an answer is on its way where the transport closes.
        is_waiting = self._unread_since is not None or self.transport.is_closing()
        if is_waiting and (self._unread_since is None or unread < before):
            self._unread_since = now
        return self._unread_since is not None and now - self._unread_since > WRITE_SECONDS

    def _is_late(self, seconds: float) -> bool:
        if self._is_refused:
            return seconds > LINGER_SECONDS
        if self.flow.read_paused:
            # It is the site that is slow.
            self._since = self.loop.time()
            return False
        if self._in_head:
            return seconds > HEAD_SECONDS
        return seconds > BODY_SECONDS + self._body_bytes / BODY_BYTES_A_SECOND

    def _give_up(self) -> None:
        """Close a connection whose request does not come to its end."""
        is_silent = self._in_head and not self._head_bytes
        if is_silent or self._is_refused:
            self.abort()
        else:
            self._refuse(REQUEST_TIMEOUT, LATE)
            self._timer = self.loop.call_later(CHECK_SECONDS, self._check_the_clock)

    def _makes_room(self) -> bool:
        """Close one that waits for a request, if there is one among the first."""
        for each in islice(self.connections, CHECKED_CONNECTIONS):
            if each is not self and isinstance(each, BoundedHTTP) and each.is_idle():
                each.abort()
                return True
        return False

    def abort(self) -> None:
        """Close the connection at once, and tell those that still answer over it."""
        self._tell_of_the_end()
        self.transport.abort()

    def _tell_of_the_end(self) -> None:
        """uvicorn tells the last request alone, and the first of several is the one at work."""
        if self._at_work is not None and not self._at_work.response_complete:
            self._at_work.disconnected = True
            self._at_work.message_event.set()

    def is_idle(self) -> bool:
        """Whether it has no request in hand."""
        return self._in_head and (self.cycle is None or self.cycle.response_complete)

    def _refuse(self, problem_type: ProblemType, detail: str) -> None:
        """Answer, if no answer is on its way, and read no more."""
        if self._is_refused or self.transport.is_closing():
            return
        if self.cycle and not self.cycle.response_complete:
            if self.cycle.response_started or self.pipeline:
                self._is_refused = True
                self.abort()
                return
            # As if its client had hung up; the application still waits for the body's end.
            self._tell_of_the_end()
        self._unset_keepalive_if_required()
        self.transport.write(answer(problem_type, detail))
        self._read_no_more()

    def _read_no_more(self) -> None:
        """Say that this was all, and discard what still comes, within bounds."""
        self._is_refused = True
        self._since = self.loop.time()
        self._left_over_bytes = 0
        self.flow.resume_reading()
        self.transport.write_eof()


def of_http_1(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The headers without those that ask for another protocol."""
    for name, value in headers:
        if name == b"connection":
            options = [each.strip() for each in value.split(b",")]
            kept = [each for each in options if each.lower() not in OF_AN_UPGRADE]
            yield name, b", ".join(kept)
        elif name not in OF_AN_UPGRADE:
            yield name, value


def write_whole(cycle: RequestResponseCycle, status: int, header_lines: bytes, body: bytes) -> bool:
    """Do what the cycle's `send` does with a head and a body, by one system call instead of two.

    The lines are not looked through for line ends: of what a client sent there may be in them only
    what was checked, as its request's id and its origin are.

    Returns:
        False where the answer takes more than that; then nothing was written.
    """
    is_plain = cycle.keep_alive and not cycle.flow.write_paused and not cycle.response_started
    if not is_plain or cycle.disconnected or cycle.waiting_for_100_continue:
        return False
    cycle.response_started = cycle.response_complete = True
    of_server = [b"%b: %b\r\n" % line for line in cycle.default_headers]
    cycle.transport.write(b"".join((STATUS_LINE[status], *of_server, header_lines, b"\r\n", body)))
    cycle.message_event.set()
    cycle.on_response()
    return True


def answer(problem_type: ProblemType, detail: str) -> bytes:
    """A whole response: the problem (RFC 9457), and that the connection ends with it."""
    body = json.dumps(problem_type.body(detail)).encode()
    lines = [
        STATUS_LINE[problem_type.status].rstrip(),
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"x-content-type-options: nosniff",
        *(b"%b: %b" % line for line in security_headers.lines()),
        b"x-request-id: " + request_id.named(None),
        b"connection: close",
    ]
    if problem_type is TOO_BUSY:
        lines.append(b"retry-after: 1")
    return b"\r\n".join([*lines, b"", body])
