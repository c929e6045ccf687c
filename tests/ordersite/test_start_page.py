"""`/` says what this is; in development it has a shop."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client


@pytest.fixture
def page(settings: Any, request: pytest.FixtureRequest) -> str:
    settings.API_IS_OPEN = request.param
    answer = Client(headers={"host": "localhost"}).get("/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("page", [True], indirect=True)
def test_in_development_there_is_a_shop_and_the_login(page: str) -> None:
    assert 'data-products="/products"' in page
    assert 'data-orders="/orders"' in page
    assert "<b>admin</b>" in page


@pytest.mark.parametrize("page", [False], indirect=True)
def test_elsewhere_there_is_neither(page: str) -> None:
    assert "shop" not in page
    assert "<b>admin</b>" not in page
    assert 'href="/admin/"' in page
    assert 'href="/openapi.json"' in page


@pytest.mark.parametrize("page", [True], indirect=True)
def test_every_file_of_the_page_is_there(page: str) -> None:
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', page)

    assert len(files) == 3
    assert all(finders.find(each) for each in files)


@pytest.mark.parametrize("address", ["/", "/docs", "/docs/events", "/problems", "/admin/login/"])
def test_no_browser_asks_for_an_icon_that_there_is_not(address: str) -> None:
    answer = Client(headers={"host": "localhost"}).get(address)

    assert '<link rel="icon" href="data:,">' in answer.content.decode()
