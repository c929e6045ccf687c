"""The web server as `make run` starts it: no 201 without its order, whatever ends it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest
from django.db import connection

from localservices.mongodb import MongoDB
from tests.orders.conftest import products  # noqa: F401
from tests.polling import eventually
from tests.processes import Processes

CLIENTS = 16
ORDER = json.dumps({"userId": 101, "items": ["book", "pen"]})


class Customers:
    """Clients that place orders one after the other, and note each answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.placing = True
        #: The ids of the orders that were answered with 201.
        self.placed: list[str] = []
        self.statuses: list[int] = []
        #: How connections ended before the answer.
        self.unanswered: list[Exception] = []

    def place_orders(self) -> None:
        server = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=60)
        while self.placing:
            try:
                self._place_order(server)
            except (OSError, http.client.HTTPException) as error:
                self.unanswered.append(error)
                return

    def _place_order(self, server: http.client.HTTPConnection) -> None:
        server.request("POST", "/orders", ORDER, {"Content-Type": "application/json"})
        response = server.getresponse()
        answer = json.loads(response.read())
        self.statuses.append(response.status)
        if response.status == 201:
            self.placed.append(answer["order"]["orderId"])


@contextmanager
def customers(url: str) -> Iterator[Customers]:
    """They place orders until the block ends, and are all heard out."""
    placing = Customers(url)
    with ThreadPoolExecutor(CLIENTS) as pool:
        done: list[Future[None]] = [pool.submit(placing.place_orders) for _ in range(CLIENTS)]
        eventually(lambda: len(placing.placed) > 10 * CLIENTS)
        try:
            yield placing
        finally:
            placing.placing = False
    for each in done:
        each.result()


def stored_ids() -> set[str]:
    return {str(each["_id"]) for each in connection.database["orders"].find({}, {"_id": 1})}


pytestmark = pytest.mark.usefixtures("products")


def test_killed_in_the_middle_of_a_group_it_has_answered_for_stored_orders_alone(
    processes: Processes,
):
    with customers(processes.start_web()) as placing:
        processes.web.kill()
        eventually(lambda: len(placing.unanswered) == CLIENTS)

    assert set(placing.placed) <= stored_ids()


def test_asked_to_stop_it_answers_whoever_it_took(processes: Processes):
    with customers(processes.start_web()) as placing:
        assert processes.web.stop(seconds=10) == 0

    assert set(placing.statuses) == {201}
    assert set(placing.placed) == stored_ids()


def test_mongodb_killed_in_the_middle_of_a_group_loses_no_order_of_a_201(
    processes: Processes, mongodb: MongoDB
):
    with customers(processes.start_web()) as placing:
        try:
            mongodb.kill()
            eventually(lambda: 503 in placing.statuses)
        finally:
            mongodb.start()
        placed = len(placing.placed)
        eventually(lambda: len(placing.placed) > placed)

    assert set(placing.statuses) == {201, 503}
    assert set(placing.placed) <= stored_ids()
    assert not placing.unanswered


def test_an_operator_gets_the_admin_with_its_style(processes: Processes):
    server = http.client.HTTPConnection(urlsplit(processes.start_web()).netloc, timeout=60)

    for path, text in (
        ("/admin/login/", b"<form"),
        ("/static/admin/css/base.css", b"--primary"),
        ("/health/live", b"live"),
    ):
        server.request("GET", path)
        response = server.getresponse()
        assert (response.status, text in response.read()) == (200, True)


def test_nothing_goes_on_answering_when_it_is_killed(processes: Processes) -> None:
    """Else the code of one release would answer beside that of the next."""
    server = http.client.HTTPConnection(urlsplit(processes.start_web()).netloc, timeout=60)

    psutil.Process(processes.web.pid).kill()

    def is_refused() -> bool:
        try:
            server.request("GET", "/health/live")
            server.getresponse()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        finally:
            server.close()
        return False

    eventually(is_refused)
