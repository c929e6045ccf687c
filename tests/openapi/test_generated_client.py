"""A client that openapi-python-client made of the document, as docs/clients.md shows it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from localservices.pipeline import ROOT
from tests.openapi.prepared import shop
from tests.security.conftest import secret

NAME = "ordersite_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("generated")
    config = Config.from_sources(
        ConfigFile(post_hooks=[]),
        MetaType.NONE,
        ROOT / "docs/openapi.json",
        "utf-8",
        overwrite=True,
        output_path=folder / NAME,
    )
    generate(config=config)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield import_module(NAME)
    for name in [each for each in sys.modules if each.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.fixture
def client(generated: ModuleType, clean: None, closed_api: None) -> Any:
    """With a customer's key; its requests go to the site without a server between."""
    from ordersite.wsgi import application

    shop()
    key = secret("orders:place", "orders:read", "orders:cancel", user_id=101)
    http = httpx.Client(
        transport=httpx.WSGITransport(app=application),
        base_url="http://localhost",
        headers={"authorization": f"Bearer {key}"},
    )
    found = generated.AuthenticatedClient(base_url="http://localhost", token=key)
    return found.set_httpx_client(http)


def calls(path: str) -> Any:
    return import_module(f"{NAME}.api.{path}")


def test_it_places_an_order_reads_it_and_cancels_it(client: Any) -> None:
    models = import_module(f"{NAME}.models")
    asked = models.OrderRequest(user_id=101, items=["book", models.Item("pen", 2)])

    placed = calls("orders.place_order").sync(client=client, body=asked, idempotency_key="a")
    again = calls("orders.place_order").sync_detailed(
        client=client, body=asked, idempotency_key="a"
    )

    assert isinstance(placed, models.PlacedOrder)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.parsed.order.order_id == placed.order.order_id
    order = calls("orders.get_order").sync(placed.order.order_id, client=client)
    assert (order.status, order.total) == ("placed", "4.50")
    listed = calls("orders.list_orders").sync(client=client, limit=1)
    assert [each.order_id for each in listed.orders] == [order.order_id]
    reason = models.CancellationRequest(reason="Ordered twice")
    cancelled = calls("orders.cancel_order").sync(order.order_id, client=client, body=reason)
    assert cancelled.order.status == "cancelled"


def test_what_is_refused_comes_as_a_problem_with_its_type(client: Any) -> None:
    models = import_module(f"{NAME}.models")
    asked = models.OrderRequest(user_id=101, items=["dragon"])

    refused = calls("orders.place_order").sync_detailed(client=client, body=asked)

    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused.parsed.type_ == "/problems/not-sold"
    assert [each.field for each in refused.parsed.errors] == ["items[0]"]
