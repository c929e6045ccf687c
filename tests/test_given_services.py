"""Where `AMQP_URL` and `MONGODB_URL` are set, the tests use names of their own there."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from localservices.ports import free_port
from tests import deselecting
from tests.given_services import PREFIX, GivenMongoDB, GivenRabbitMQ, NotUsable, given, new_name

URL = "amqp://us%40er:p%2Fw@one:5671/shop?heartbeat=7;amqp://us%40er:p%2Fw@two/shop"


class ManagementAPI(ThreadingHTTPServer):
    """Answers everything with one status code, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.status = status
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    server: ManagementAPI

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(params=[201])
def api(request: pytest.FixtureRequest) -> Iterator[ManagementAPI]:
    with ManagementAPI(request.param) as api:
        Thread(target=api.serve_forever, args=(0.01,), daemon=True).start()
        yield api
        api.shutdown()


def test_what_was_set_is_kept_for_the_processes_of_the_run() -> None:
    environment = {"AMQP_URL": URL, "MONGODB_URL": ""}

    assert given(environment) == {"AMQP_URL": URL}
    environment.update(AMQP_URL="amqp://the-tests-own", MONGODB_URL="mongodb://the-tests-own")
    assert given(environment) == {"AMQP_URL": URL}


def test_where_nothing_is_set_the_tests_own_urls_are_not_taken_for_the_users() -> None:
    environment: dict[str, str] = {}

    assert given(environment) == {}
    environment["AMQP_URL"] = "amqp://the-tests-own"
    assert given(environment) == {}


def test_each_process_has_a_name_of_its_own() -> None:
    assert new_name() != new_name()
    assert new_name().startswith(PREFIX)


def test_every_node_is_asked_for_the_virtual_host_of_the_tests() -> None:
    rabbitmq = GivenRabbitMQ(URL, None, "mine")

    assert rabbitmq.url == (
        "amqp://us%40er:p%2Fw@one:5671/mine?heartbeat=7;amqp://us%40er:p%2Fw@two/mine"
    )
    assert (rabbitmq.user, rabbitmq.port) == ("us@er", 5671)
    assert rabbitmq.management_url == "http://one:15672"


def test_the_virtual_host_is_made_and_deleted(api: ManagementAPI) -> None:
    rabbitmq = GivenRabbitMQ("amqp://us%40er:p@h", api.url, "mine")

    rabbitmq.launch()
    rabbitmq.kill_at_once()

    made, allowed, deleted = api.asked
    assert (made, deleted) == ("PUT /api/vhosts/mine", "DELETE /api/vhosts/mine")
    assert allowed == "PUT /api/permissions/mine/us%40er"


def test_what_was_not_made_is_not_deleted(api: ManagementAPI) -> None:
    GivenRabbitMQ("amqp://h", api.url, "mine").kill_at_once()

    assert api.asked == []


@pytest.mark.parametrize("api", [401, 403], indirect=True)
def test_who_may_not_make_virtual_hosts_is_told_what_to_do(api: ManagementAPI) -> None:
    with pytest.raises(NotUsable) as refused:
        GivenRabbitMQ("amqp://shop:secret@h", api.url, "mine").launch()

    assert "rabbitmqctl set_user_tags shop administrator" in str(refused.value)
    assert "unset AMQP_URL" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_management_api_that_does_not_answer() -> None:
    with pytest.raises(NotUsable, match="set RABBITMQ_MANAGEMENT_URL"):
        GivenRabbitMQ("amqp://h", f"http://127.0.0.1:{free_port()}", "mine").launch()


def test_a_url_that_is_wrong_names_its_setting() -> None:
    with pytest.raises(NotUsable, match="MONGODB_URL"):
        GivenMongoDB("mongo://h", "mine")
    with pytest.raises(NotUsable, match="AMQP_URL"):
        GivenRabbitMQ("amqp://h:x/", None, "mine")


@pytest.mark.parametrize(
    ("is_given", "fixtures", "why"),
    [
        ({}, {"private_rabbitmq", "private_mongodb"}, ""),
        ({"AMQP_URL": "amqp://h"}, {"services", "db"}, ""),
        ({"AMQP_URL": "amqp://h"}, {"private_mongodb"}, ""),
        ({"AMQP_URL": "amqp://h"}, {"private_rabbitmq"}, "AMQP_URL is set"),
        ({"MONGODB_URL": "mongodb://h"}, {"private_mongodb"}, "MONGODB_URL is set"),
    ],
)
def test_only_those_are_left_out_that_cannot_run(
    is_given: dict[str, str], fixtures: set[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deselecting, "GIVEN", is_given)

    assert why in deselecting.reason(fixtures)
    assert bool(deselecting.reason(fixtures)) == bool(why)
