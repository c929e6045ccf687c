"""With releases of its libraries that no adapter was tried with, the pipeline still works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from kombu import Connection
from kombu.transport.native_delayed_delivery import MAX_NUMBER_OF_BITS_TO_USE as DELAY_LEVELS

from localservices.pipeline import service_names
from tests.journeys.api import Api, await_failed_messages, manage
from tests.journeys.whole_pipeline.conftest import load_products
from tests.other_releases.sitecustomize import WITH_ADAPTERS
from tests.processes import ROOT, Processes

USER_WHOSE_INVOICE_FAILS = 700


@pytest.fixture
def other_releases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes that start from here on find releases that nobody tried."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "other_releases"))
    yield
    delete_delayed_delivery()


def delete_delayed_delivery() -> None:
    """What Celery's own consumer declares, and binds to our exchanges, on RabbitMQ."""
    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        channel.exchange_delete("celery_delayed_delivery")
        for level in range(DELAY_LEVELS):
            channel.exchange_delete(f"celery_delayed_{level}")
            channel.queue_delete(f"celery_delayed_{level}")


def test_an_order_is_placed_handled_given_up_and_replayed(
    processes: Processes, other_releases: None
) -> None:
    load_products()
    api = Api(processes.start_web())
    worker = processes.run(
        "worker",
        f"celery --quiet -A celery_app worker -Q {','.join(service_names())} -n all@%h -c 1",
    )
    processes.start("relay", "archiver")
    processes.wait_for_workers([worker])

    several = [api.place(101, {"sku": "book", "quantity": 1}) for _ in range(5)]
    for order_id in several:
        api.await_status(order_id, "confirmed")

    fault = ("simulate_fault", "billing", "--user", str(USER_WHOSE_INVOICE_FAILS), "--kind")
    assert manage(*fault, "permanent").returncode == 0
    failing = api.place(USER_WHOSE_INVOICE_FAILS)
    [failed] = await_failed_messages(1)
    assert (failed["service"], failed["orderId"]) == ("billing", failing)
    assert api.states(failing) == ("reserved", "pending")

    assert manage(*fault, "none").returncode == 0
    replayed = manage("failed_messages", "replay", failed["id"], "--by", "operator")
    assert replayed.returncode == 0, replayed.stderr
    api.await_status(failing, "confirmed")

    told = worker.log.read_text()
    for library in WITH_ADAPTERS - {"uvicorn"}:
        assert told.count(f"{library} 999.0 is installed, and the adapter was tried with") == 1
    assert processes.web.log.read_text().count("uvicorn 999.0 is installed") == 1
    assert "in a batch" not in told


def test_the_releases_that_are_installed_were_tried() -> None:
    from messaging.adapters import billiard, celery, kombu, py_amqp
    from ordersite.patches import BACKEND
    from ordersite.web.server import UVICORN

    adapters = (py_amqp.TRIED, celery.TRIED, billiard.TRIED, kombu.TRIED, BACKEND, UVICORN)
    assert {each.library for each in adapters} == WITH_ADAPTERS
    assert all(each.is_installed for each in adapters)
    lines = Path(ROOT / "requirements.txt").read_text().splitlines()
    pinned = {line.removesuffix(" \\") for line in lines}
    for each in adapters:
        assert f"{each.library}{each.releases}" in pinned
