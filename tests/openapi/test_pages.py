"""The pages about the API are for everybody, and need nothing from another server."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from localservices.pipeline import ROOT
from messaging.service import events

READER = ROOT / "ordersite/static/ordersite/swagger-ui"
ORIGIN = (READER / "ORIGIN.md").read_text()


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


@pytest.mark.parametrize("path", ["/docs", "/docs/events", "/problems", "/problems/not-sold"])
@pytest.mark.usefixtures("closed_api")
def test_a_page_is_for_everybody_and_asks_only_this_site(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for file in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert finders.find(file), file


def test_the_reader_is_the_package_that_its_origin_names() -> None:
    sums = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", ORIGIN, re.M))

    assert set(sums.values()) == {"swagger-ui-bundle.js", "swagger-ui.css"}
    for sum_, name in sums.items():
        assert hashlib.sha256((READER / name).read_bytes()).hexdigest() == sum_, name
    assert re.search(r"version \d+\.\d+\.\d+ of \d{4}-\d\d-\d\d", ORIGIN)
    assert "Apache License" in (READER / "LICENSE").read_text()


def test_every_event_is_on_the_page_of_events(client: Client) -> None:
    page = client.get("/docs/events").content.decode()

    assert re.findall(r'<section id="([a-z]+\.[a-z]+)"', page)[-len(events()) :] == list(events())
