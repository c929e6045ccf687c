"""A shop that answers as the API does, but only at the third request for an order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

ORDER_ID = "674300000000000000000001"
BOOK = {"sku": "book", "name": "Book", "price": "12.50", "currency": "EUR"}
TEA = {"sku": "tea", "name": "Tea", "price": "9", "currency": "JPY"}
PAGES: dict[str, Any] = {
    "/products": {"products": [BOOK], "next": "/products?cursor=a"},
    "/products?cursor=a": {"products": [TEA], "next": None},
}
PROBLEM = {
    "type": "/problems/not-sold",
    "title": "The order was not placed",
    "status": 422,
    "detail": "items[0]: 'dragon' is not in the catalogue.",
    "errors": [{"field": "items[0]", "detail": "'dragon' is not in the catalogue", "fix": "No."}],
}
TIMELINES = [
    {"status": status, "services": [{"service": "billing", "kind": "done", "outcome": outcome}]}
    for status, outcome in (("placed", "waits"), ("confirmed", "invoiced"))
]


class Answers(BaseHTTPRequestHandler):
    """Counts the orders that were asked for, with the key of each."""

    keys: list[str]

    def do_GET(self) -> None:
        if self.path in PAGES:
            self.answer(200, PAGES[self.path])
            return
        # One event a stream, so that a client has to come back for the next one.
        seen = self.headers["Last-Event-ID"]
        number = int(seen) + 1 if seen else 0
        self.send_response(200)
        self.end_headers()
        data = json.dumps(TIMELINES[number])
        self.wfile.write(f"retry: 2\n\nid: {number}\nevent: timeline\ndata: {data}\n\n".encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["items"] == ["dragon"]:
            self.answer(422, PROBLEM)
            return
        self.keys.append(self.headers["Idempotency-Key"])
        if len(self.keys) == 1:
            self.close_connection = True
        elif len(self.keys) == 2:
            self.answer(503, {"detail": "later"}, {"Retry-After": "0"})
        else:
            self.answer(201, {"order": {"orderId": ORDER_ID, "total": "12.50", "currency": "EUR"}})

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing is told on the terminal."""


@contextmanager
def shop() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the keys of the requests for an order."""
    keys: list[str] = []
    handler = type("Handler", (Answers,), {"keys": keys})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", keys
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
