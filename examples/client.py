"""A shop's client in Python, with the standard library alone.

It lists the products, places an order, and follows it until every service has answered. Then it
places one that is refused, and shows why.

    python examples/client.py http://localhost:8000
    ORDERSITE_KEY=… python examples/client.py https://orders.example.com
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

#: A request that got no answer, or one that says "later", is sent so many times in all.
TRIES = 5
TRY_AGAIN = {429, 503}
ANSWER_SECONDS = 30


class Problem(Exception):
    """What the API did not do, and why (RFC 9457)."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body["detail"])
        self.status = status
        #: Decide by this one: `/problems/not-sold`, `/problems/invalid-request`, …
        self.type = body["type"]
        self.errors = body.get("errors", [])


class Shop:
    """The API at an address."""

    def __init__(self, address: str, key: str = "") -> None:
        self._address = address.rstrip("/")
        self._login = {"Authorization": f"Bearer {key}"} if key else {}

    def products(self) -> Iterator[dict[str, Any]]:
        """All that is sold, page by page."""
        path = "/products"
        while path:
            page = self._ask("GET", path)
            yield from page["products"]
            path = page["next"]

    def place(self, user_id: int, items: list[Any]) -> dict[str, Any]:
        """Place an order once, however often the request has to be sent.

        Raises:
            Problem: it was refused.
        """
        body = {"userId": user_id, "items": items}
        # The same key each time: whoever gets no answer cannot know whether the order was placed.
        order: dict[str, Any] = self._ask("POST", "/orders", body, str(uuid.uuid4()))["order"]
        return order

    def timeline(self, order_id: str) -> Iterator[dict[str, Any]]:
        """The order's timeline now, and again after each change, as server-sent events."""
        seen = ""
        while True:
            with self._open("GET", f"/orders/{order_id}/events", {"Last-Event-ID": seen}) as stream:
                for line in stream:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name == "id":
                        seen = value
                    elif name == "data":
                        yield json.loads(value)
            # The site ends a stream after a minute; whoever comes back misses nothing.
            time.sleep(2)

    def _ask(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        tries_left = TRIES
        while True:
            tries_left -= 1
            try:
                with self._open(method, path, headers, body) as answer:
                    return json.load(answer)
            except HTTPError as error:
                if error.code not in TRY_AGAIN or not tries_left:
                    raise Problem(error.code, json.load(error)) from error
                time.sleep(float(error.headers.get("Retry-After", 1)))
            except (OSError, HTTPException):
                if not tries_left:
                    raise
                time.sleep(1)

    def _open(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        content = {"Content-Type": "application/json"} if data else {}
        request = Request(self._address + path, data, {**self._login, **content, **headers})
        request.method = method
        response: HTTPResponse = urlopen(request, timeout=ANSWER_SECONDS)
        return response


def main(address: str) -> None:
    shop = Shop(address, os.environ.get("ORDERSITE_KEY", ""))
    for product in shop.products():
        print(f"{product['sku']:12} {product['price']:>8} {product['currency']}  {product['name']}")

    order = shop.place(101, ["book", {"sku": "pen", "quantity": 2}])
    print(f"\nOrder {order['orderId']}: {order['total']} {order['currency']}")
    for timeline in shop.timeline(order["orderId"]):
        services = [f"{each['service']}: {each['outcome']}" for each in timeline["services"]]
        print(f"  {timeline['status']:10} {', '.join(services)}")
        if timeline["status"] != "placed":
            break

    try:
        shop.place(101, ["dragon"])
    except Problem as problem:
        print(f"\nRefused with {problem.status}, {problem.type}")
        for error in problem.errors:
            print(f"  {error['field']}: {error['detail']}. {error['fix']}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
