"""Every time of day on every page of the admin is written in one way, with its zone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ordersite.overview import stored_snapshot
from tests.openapi.prepared import PREPARED, shop

#: What is none of ours to write: what a message or a request says, as it came; what is typed into a
#: form; what no one reads; the numbers of a drawing.
NOT_OURS = re.compile(
    r"<(pre|svg|script|style|textarea)\b.*?</\1>|<input\b[^>]*>|&quot;.*?&quot;"
    r"|(?:datetime|href)=\"[^\"]*\"",
    re.DOTALL,
)
CLOCK = re.compile(r"\b\d{1,2}:\d\d\b")
EXACT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})? UTC\b")
OTHERS = (
    "admin:index",
    "admin:wall",
    "admin:doctor",
    "admin:roles",
    "admin:failed_messages_charts",
)


@pytest.mark.usefixtures("clean")
def test_each_time_says_its_zone() -> None:
    shop()
    for prepare in {*PREPARED.values()}:
        prepare()
    stored_snapshot.take()
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("operator"))

    found, seen = [], 0
    for address in addresses(client):
        text = NOT_OURS.sub("", client.get(address).content.decode())
        seen += len(EXACT.findall(text))
        found += [f"{address}: {text[at.start() - 30 : at.end() + 9]!r}" for at in others(text)]

    assert found == []
    assert seen > 50


def addresses(client: Client) -> Iterator[str]:
    """The pages, each list, and the first page that each list leads to."""
    yield from map(reverse, OTHERS)
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = reverse(f"{name}_changelist")
        yield listed
        page = client.get(listed, follow=True).content.decode()
        if link := re.search(rf'href="({listed}[^"?]+/change/)', page):
            yield link[1]


def others(text: str) -> Iterator[re.Match[str]]:
    right = [each.span() for each in EXACT.finditer(text)]
    for found in CLOCK.finditer(text):
        if not any(start <= found.start() < end for start, end in right):
            yield found
