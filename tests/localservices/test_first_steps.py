"""The newcomer's walk: each step with its time, and where it ends. The site is played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from localservices import first_steps
from localservices.first_steps import OPERATOR, NotReached, Walk

ORDER = "674300000000000000000001"
FAILED = "674300000000000000000002"


class Site(HTTPServer):
    """Confirms an order at the second look; billing fails for customer 500 until that is fixed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.fails = False
        self.never_confirms = False
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(None)

            def do_POST(self) -> None:
                self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def answer(self, body: Any) -> None:
                if self.path.startswith("/failed-messages"):
                    assert self.headers["Authorization"] == OPERATOR
                shown = json.dumps(site.answer(f"{self.command} {self.path}", body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(shown)))
                self.end_headers()
                self.wfile.write(shown)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def answer(self, asked: str, body: Any) -> Any:
        looks = self.asked.count(asked)
        self.asked.append(asked)
        if asked == "POST /orders":
            self.fails = body["userId"] == 500
            return {"order": {"orderId": ORDER}}
        if asked == f"GET /orders/{ORDER}":
            waits = self.never_confirms or self.fails or not looks
            return {"status": "placed" if waits else "confirmed"}
        if asked.startswith("GET /failed-messages?"):
            return {"items": [{"id": FAILED}] if looks else []}
        if asked.endswith("/replay"):
            self.fails = "none" not in self.faults
            return {"done": True}
        return {"service": "billing"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(first_steps, "POLL_SECONDS", 0.001)
    server = Site()
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def walk_of(site: Site) -> Walk:
    return Walk(f"http://127.0.0.1:{site.server_port}/", site.faults.append)


def test_the_walk_ends_with_the_order_confirmed_and_the_fault_back(site: Site) -> None:
    walk = walk_of(site)

    walk.go()

    assert [said for said, _ in walk.steps] == [
        "An order was placed",
        "It was confirmed",
        "An order failed, and is on the desk",
        "The desk said why",
        "The fault was removed",
        "It was replayed, and its order confirmed",
    ]
    assert all(0 <= seconds < 10 for _, seconds in walk.steps)
    assert site.faults == ["none", "error"]
    assert f"POST /failed-messages/{FAILED}/replay" in site.asked


def test_a_walk_that_ends_early_says_where(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_steps, "STEP_SECONDS", 0.05)
    site.never_confirms = True
    walk = walk_of(site)

    with pytest.raises(NotReached, match="was not confirmed"):
        walk.go()

    assert [said for said, _ in walk.steps] == ["An order was placed"]
