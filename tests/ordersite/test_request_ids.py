"""Every answer says what its request is called, and so do the logs about it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client

from runtime.decision_log import decided
from runtime.json_lines import JsonLines
from runtime.one_line import OneLine
from runtime.requests.request_id import current, named
from tests.asgi_client import AsgiClient
from tests.orders.conftest import client, either_way, products  # noqa: F401

ORDER = '{"userId": 101, "items": ["book"]}'
GIVEN = "Root=1-67891233-abcdef012345678912345678"


def id_of(answer: Any) -> str:
    id_ = answer.headers["x-request-id"]
    assert isinstance(id_, str)
    assert id_
    return id_


@pytest.mark.parametrize(
    "good", ["a", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", GIVEN, "x" * 128, "a:b/c+d=e@f~g.h_i"]
)
def test_a_clients_name_is_kept(good: str) -> None:
    assert named(good.encode()) == good.encode()


@pytest.mark.parametrize(
    "wrong", [None, "", "x" * 129, "a b", "a,b", "a\nb", "a\0", "-a", "é", '"a"', "\x1b[2J", "a\n"]
)
def test_any_other_gets_a_new_one_that_no_request_had(wrong: str | None) -> None:
    given = None if wrong is None else wrong.encode()
    assert named(given) != named(given)
    assert named(given).decode().isprintable()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/orders", ORDER, 201),
        ("POST", "/orders", "{", 400),
        ("POST", "/orders", '{"userId": 1, "items": ["bok"]}', 422),
        ("GET", "/orders", "", 200),
        ("GET", "/nowhere", "", 404),
        ("PUT", "/orders", ORDER, 405),
    ],
)
def test_every_answer_has_it(
    either_way: Any,  # noqa: F811
    method: str,
    path: str,
    body: str,
    status: int,
) -> None:
    def ask(**headers: str) -> Any:
        answer = getattr(either_way, method.lower())(
            path, body, content_type="application/json", headers=headers
        )
        assert answer.status_code == status
        return answer

    if method == "GET":
        answers = [either_way.get(path, headers={"x-request-id": GIVEN}), either_way.get(path)]
    else:
        answers = [ask(**{"x-request-id": GIVEN}), ask()]

    assert id_of(answers[0]) == GIVEN
    assert id_of(answers[1]) != GIVEN


def test_the_logs_name_the_request(
    client: Client,  # noqa: F811
) -> None:
    lines, named_r1 = Lines(OneLine()), {"x-request-id": "r1"}
    logging.getLogger("django.request").addHandler(lines)
    try:
        for each in (client, AsgiClient()):
            each.post("/orders", "{", content_type="application/json", headers=named_r1)
    finally:
        logging.getLogger("django.request").removeHandler(lines)

    assert lines.seen == ["Bad Request: /orders [request r1]"] * 2
    logging.getLogger("orders").warning("about none")
    assert OneLine().format(logging.makeLogRecord({"msg": "about none"})) == "about none"


def test_a_decision_names_the_request() -> None:
    lines = Lines(JsonLines())
    logging.getLogger("decisions").addHandler(lines)
    token = current.set(b"r2")
    try:
        decided("orders.cancel", by="clerk", allowed=True)
    finally:
        current.reset(token)
        logging.getLogger("decisions").removeHandler(lines)

    assert json.loads(lines.seen[0])["http.request.id"] == "r2"


class Lines(logging.Handler):
    """Keeps the lines that it is given, as the site's log writes them."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))
