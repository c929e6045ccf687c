"""RabbitMQ and MongoDB go down and come back; workers stop and start. Nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from localservices.mongodb import MongoDB
from localservices.pipeline import service_names
from localservices.rabbitmq import RabbitMQ
from tests.journeys.api import Answer, Api
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.journeys.whole_pipeline.failed import failed_messages
from tests.polling import eventually

WORKERS = tuple(service_names())


def test_orders_are_taken_while_rabbitmq_is_dead(api: Api, rabbitmq: RabbitMQ) -> None:
    """
    Given orders are being placed
    When RabbitMQ is killed in between
    Then each is answered with 201, quickly, and all are confirmed after its return, each with
    one reservation and one invoice, with nobody's help.
    """
    with ThreadPoolExecutor(4) as clients:
        before = clients.map(lambda _: timed_post(api), range(30))
        rabbitmq.kill()
        try:
            after = list(clients.map(lambda _: timed_post(api), range(10)))
        finally:
            rabbitmq.start()

    answers = [*before, *after]
    assert [answer.status for answer, _ in answers] == [201] * 40
    assert max(seconds for _, seconds in answers) < 2
    assert_all_confirmed(api, [answer.json["order"]["orderId"] for answer, _ in answers])


def timed_post(api: Api) -> tuple[Answer, float]:
    began = time.monotonic()
    return api.post(101, "book", "pen"), time.monotonic() - began


def assert_all_confirmed(api: Api, order_ids: list[str]) -> None:
    for order_id in order_ids:
        api.await_status(order_id, "confirmed")
    database = connection.database
    for collection, state in (("reservations", "reserved"), ("invoices", "issued")):
        theirs = {"_id": {"$in": order_ids}, "state": state}
        assert database[collection].count_documents(theirs) == len(order_ids)
    numbers = sorted(int(invoice["number"][-6:]) for invoice in database["invoices"].find())
    assert numbers == list(range(1, len(numbers) + 1))
    # Of an earlier journey's order a replay may still be under way.
    assert [each for each in failed_messages() if any(id_ in each for id_ in order_ids)] == []


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_mongodb_the_answer_is_503_in_under_three_seconds(
    api: Api, mongodb: MongoDB, how: str
) -> None:
    """
    Given an order
    When MongoDB is killed, or answers nothing any more
    Then placing and reading is answered with 503 in time, and both work after its return.
    """
    order_id = api.place(101)
    api.await_status(order_id, "confirmed")
    getattr(mongodb, how)()
    try:
        for method, path, body in (
            ("POST", "/orders", b'{"userId": 101, "items": ["book"]}'),
            ("GET", f"/orders/{order_id}", None),
        ):
            began = time.monotonic()
            answer = api.ask(method, path, body, content_type="application/json")
            assert time.monotonic() - began < 3
            assert answer.status == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json["status"] == 503
    finally:
        mongodb.thaw()
        mongodb.start()

    another_id = eventually(lambda: placed(api))
    assert_all_confirmed(api, [order_id, another_id])


def placed(api: Api) -> str | None:
    answer = api.post(101)
    return answer.json["order"]["orderId"] if answer.status == 201 else None


def test_a_warm_stop_of_the_workers_loses_nothing(pipeline: Pipeline, api: Api) -> None:
    """
    Given orders are under way
    When each worker's process group gets SIGTERM, as from a process manager
    Then each ends cleanly, and after their restart all orders are confirmed, none twice.
    """
    with ThreadPoolExecutor(4) as clients:
        order_ids = list(clients.map(lambda _: api.place(101, "book", "pen"), range(60)))
    for name in WORKERS:
        os.killpg(pipeline[name].pid, signal.SIGTERM)
    for name in WORKERS:
        assert pipeline[name].wait() == 0, pipeline[name].log_tail()

    pipeline.restart(*WORKERS)

    assert_all_confirmed(api, order_ids)
