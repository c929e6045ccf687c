"""A private RabbitMQ survives what happens to a developer's machine."""

from __future__ import annotations

import json
import os
import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import pytest
from kombu import Connection, Queue

from localservices.errors import ServiceFailed
from localservices.ports import free_port
from localservices.rabbitmq import MAX_MESSAGE_BYTES, RabbitMQ
from tests.polling import eventually

KEPT = Queue("kept", queue_arguments={"x-queue-type": "quorum"})
LARGE = Queue("large", queue_arguments={"x-queue-type": "quorum"})


@pytest.fixture(scope="module")
def module_rabbitmq(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    rabbitmq = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    yield rabbitmq
    rabbitmq.kill()


@pytest.fixture
def rabbitmq(module_rabbitmq: RabbitMQ) -> RabbitMQ:
    return module_rabbitmq.start()


def test_it_leaves_half_of_the_cores_to_others(rabbitmq: RabbitMQ) -> None:
    threads = Path(f"/proc/{rabbitmq.process.pid}/task").glob("*/comm")
    names = [thread.read_text().strip() for thread in threads]
    schedulers = [name for name in names if re.fullmatch(r"\d+_scheduler|erts_sched_\d+", name)]
    assert len(schedulers) == max(1, (os.cpu_count() or 1) // 2)


def test_the_management_page_answers(rabbitmq: RabbitMQ) -> None:
    login = b64encode(b"guest:guest").decode()
    request = Request(
        f"{rabbitmq.management_url}/api/overview", headers={"Authorization": f"Basic {login}"}
    )
    with urlopen(request, timeout=60) as response:
        assert json.load(response)["node"] == "ordersite@localhost"


def test_it_listens_on_loopback_alone(rabbitmq: RabbitMQ) -> None:
    listening = [
        connection.laddr.ip
        for process in (rabbitmq.process.pid, name_server_pid(rabbitmq))
        for connection in psutil.Process(process).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) <= {"127.0.0.1", "::1"}
    assert len(listening) >= 4  # AMQP, management, distribution, name server


def test_messages_survive_a_kill_and_a_move_to_other_ports(rabbitmq: RabbitMQ) -> None:
    publish(rabbitmq, KEPT, b"book")
    eventually(lambda: knows_on_disk(rabbitmq, KEPT))
    rabbitmq.kill()
    rabbitmq.port, rabbitmq.management_port = free_port(), free_port()
    rabbitmq.start()
    assert consume(rabbitmq, KEPT) == b"book"


def test_it_takes_messages_of_several_megabytes(rabbitmq: RabbitMQ) -> None:
    body = b"x" * (MAX_MESSAGE_BYTES // 2)
    publish(rabbitmq, LARGE, body)
    assert consume(rabbitmq, LARGE) == body


def test_nothing_of_it_is_left_after_a_stop(rabbitmq: RabbitMQ) -> None:
    family = [psutil.Process(rabbitmq.process.pid), psutil.Process(name_server_pid(rabbitmq))]
    family += family[0].children(recursive=True)
    rabbitmq.stop()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


@pytest.mark.usefixtures("programs")
def test_a_taken_port_is_told_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ServiceFailed, match=f"RabbitMQ cannot listen on port {taken}"):
            RabbitMQ(tmp_path, port=taken).start()


@pytest.mark.usefixtures("programs")
def test_a_folder_that_holds_something_else_is_told_from_the_log(tmp_path: Path) -> None:
    (tmp_path / "mnesia").write_text("not a folder")
    with pytest.raises(ServiceFailed, match=r"RabbitMQ ended (.|\n)*failed_to_create"):
        RabbitMQ(tmp_path).start()


def publish(rabbitmq: RabbitMQ, queue: Queue, body: bytes) -> None:
    """Return when the broker has confirmed it."""
    with Connection(rabbitmq.url, transport_options={"confirm_publish": True}) as connection:
        producer = connection.Producer()
        queue(producer.channel).declare()
        producer.publish(body, routing_key=queue.name, mandatory=True)


def consume(rabbitmq: RabbitMQ, queue: Queue) -> bytes:
    with Connection(rabbitmq.url) as connection, connection.channel() as channel:
        message = eventually(lambda: queue(channel).get(no_ack=True))
        return bytes(message.body)


def knows_on_disk(rabbitmq: RabbitMQ, queue: Queue) -> bool:
    """RabbitMQ 3.10 writes a new quorum queue's name to disk within seconds of its creation."""
    names = rabbitmq.data_folder.glob("mnesia/*/quorum/*/names.dets")
    return any(queue.name.encode() in file.read_bytes() for file in names)


def name_server_pid(rabbitmq: RabbitMQ) -> int:
    assert rabbitmq.name_server is not None
    return rabbitmq.name_server.pid
