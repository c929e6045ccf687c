"""RabbitMQ's management API where it does not do as asked, played by a server of the test's own."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.test import override_settings

from ordersite.broker import management_api

Answers = list[HTTPStatus]


class Api(BaseHTTPRequestHandler):
    """Gives its server's answers, one after another."""

    answers: Answers

    def do_GET(self) -> None:
        self.send_response(self.answers.pop(0))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    do_DELETE = do_GET  # noqa: N815  the name that BaseHTTPRequestHandler calls

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answers() -> Iterator[Answers]:
    """What the management API is going to answer."""
    given: Answers = []
    with HTTPServer(("127.0.0.1", 0), type("Given", (Api,), {"answers": given})) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with override_settings(RABBITMQ_MANAGEMENT_URL=f"http://127.0.0.1:{server.server_port}"):
            yield given
        server.shutdown()
        thread.join()


def test_a_connection_that_ends_while_it_is_closed_is_closed(answers: Answers) -> None:
    """RabbitMQ answers 500 to that, and afterwards does not know it any more."""
    answers += [HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_FOUND]

    management_api.patiently(partial(management_api.close_connection, "127.0.0.1:1 -> 127.0.0.1:2"))

    assert not answers


def test_it_is_asked_past_the_proxy_of_a_company(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", None)
    answers += [HTTPStatus.OK]

    assert management_api.get("queues").content == []


def test_an_answer_that_comes_late_is_waited_for(answers: Answers) -> None:
    answers += [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.OK]

    assert management_api.patiently(partial(management_api.get, "queues")).content == []


def test_whose_login_is_refused_is_told_so_at_once(answers: Answers) -> None:
    answers += [HTTPStatus.UNAUTHORIZED, HTTPStatus.OK]

    with pytest.raises(management_api.Forbidden) as refused:
        management_api.patiently(partial(management_api.get, "nodes"))

    assert refused.value.next_step == "rabbitmqctl set_user_tags guest monitoring"
    assert answers == [HTTPStatus.OK]


def test_an_error_of_rabbitmq_is_not_a_refusal(answers: Answers) -> None:
    answers += [HTTPStatus.INTERNAL_SERVER_ERROR]

    with pytest.raises(management_api.Unavailable, match="500") as error:
        management_api.get("queues")

    assert not isinstance(error.value, management_api.Forbidden)
