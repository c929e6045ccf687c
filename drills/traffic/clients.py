"""Clients that place orders over real HTTP and do what clients do when an answer does not come."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

from drills.traffic.history import Exchange, History
from drills.traffic.plan import Intention

CLIENTS = 8
ANSWER_SECONDS = 8
#: A client with an idempotency key asks again for so long.
PATIENCE_SECONDS = 90
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 2.0
#: Whoever could not come for so long, as all clients waited for answers, does not come any more:
#: what was not asked during an outage is not asked at once after it.
LATE_SECONDS = 1.0


class Traffic:
    """Carries out the intentions in threads, and writes down every exchange.

    traffic = Traffic(port, intentions, history, least=200)
    traffic.start()
    break_something()
    traffic.end()
    traffic.wait()
    """

    def __init__(
        self, port: int, intentions: Iterable[Intention], history: History, least: int
    ) -> None:
        """So many (`least`) of the intentions are carried out even if the end comes before."""
        self._port = port
        self._history = history
        self._least = least
        self._ended = Event()
        self._waiting: SimpleQueue[Intention] = SimpleQueue()
        for each in intentions:
            self._waiting.put(each)
        self._clients = [Thread(target=self._work, daemon=True) for _ in range(CLIENTS)]
        self.started_at = 0.0

    def start(self) -> None:
        self.started_at = time.time()
        for client in self._clients:
            client.start()

    def end(self) -> None:
        """Let each client finish what it is at, and begin nothing more."""
        self._ended.set()

    def wait(self) -> None:
        """Return when every client is done."""
        for client in self._clients:
            client.join()

    def _work(self) -> None:
        client = Client(self._port, self._history)
        with suppress(Empty):
            while True:
                intention = self._waiting.get_nowait()
                if self._comes(intention):
                    client.carry_out(intention)

    def _comes(self, intention: Intention) -> bool:
        """Wait for its moment; False if that is long past, or the traffic ended before."""
        pause = self.started_at + intention.due_seconds - time.time()
        if intention.number < self._least:
            time.sleep(max(0.0, pause))
            return True
        return pause > -LATE_SECONDS and not self._ended.wait(max(0.0, pause))


class Client:
    """One client with one connection at a time."""

    def __init__(self, port: int, history: History) -> None:
        self._port = port
        self._history = history
        self._connection: HTTPConnection | None = None

    def carry_out(self, intention: Intention) -> None:
        """Place the order, and whatever else is intended with it."""
        placed = self._place(intention, "order" if intention.is_valid else "invalid")
        if placed.order_id is None:
            return
        if intention.again:
            self._place(intention, "again")
        if intention.other:
            other = {
                **intention.body,
                "items": [*intention.body["items"], intention.body["items"][0]],
            }
            self._ask(intention, "other", "/orders", other)
        if intention.cancel:
            self._patiently(intention, "cancel", f"/orders/{placed.order_id}/cancel", {})

    def _place(self, intention: Intention, kind: str) -> Exchange:
        if intention.key is None:
            # Whoever gave no key must not ask again.
            return self._ask(intention, kind, "/orders", intention.body)
        return self._patiently(intention, kind, "/orders", intention.body)

    def _patiently(self, intention: Intention, kind: str, path: str, body: Any) -> Exchange:
        """Ask until the site has made up its mind."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        wait_seconds = FIRST_WAIT_SECONDS
        while True:
            exchange = self._ask(intention, kind, path, body)
            if is_answered(exchange) or time.monotonic() > deadline:
                return exchange
            time.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)

    def _ask(self, intention: Intention, kind: str, path: str, body: Any) -> Exchange:
        at, status, answer, problem = time.time(), None, None, ""
        try:
            status, answer = self._exchange(path, body, intention.key)
        except (OSError, HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"
            self._hang_up()
        exchange = Exchange(
            number=intention.number,
            kind=kind,
            user_id=intention.user_id,
            key=intention.key,
            body=body,
            at=at,
            seconds=round(time.time() - at, 4),
            status=status,
            answer=answer,
            problem=problem,
        )
        self._history.add(exchange)
        return exchange

    def _exchange(self, path: str, body: Any, key: str | None) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        headers = {"Content-Type": "application/json"}
        if key is not None and path == "/orders":
            headers["Idempotency-Key"] = key
        self._connection.request("POST", path, json.dumps(body), headers)
        response = self._connection.getresponse()
        content = response.read()
        with suppress(ValueError):
            return response.status, json.loads(content)
        return response.status, content.decode(errors="replace")

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def is_answered(exchange: Exchange) -> bool:
    """Whether asking again would change nothing: neither an error of the server nor silence."""
    return exchange.status is not None and exchange.status < 500 and exchange.status != 409
