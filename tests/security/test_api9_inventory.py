"""OWASP API9:2023: every address is documented, and no page of the admin is for just anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import URLPattern

from tests.processes import ROOT
from tests.security.routes import OPEN, declared, within

#: What each member of the staff needs to get in and out, and to see what they may.
OF_ALL_STAFF = {
    *("index", "login", "logout", "password_change", "password_change_done", "jsi18n"),
    "second-factor",
    # What these show follows the permissions, see below.
    *("overview", "wall", "search"),
}
#: The API's own addresses are told by what leads to them.
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_address_of_the_api_is_documented() -> None:
    told = "\n".join(page.read_text() for page in PAGES)

    missing = [route for route, _ in declared() if route not in OPEN and not is_told(route, told)]

    assert missing == []


def is_told(route: str, told: str) -> bool:
    """Whether a page has the address, whatever it calls the parts that differ."""
    parts = [
        r"(\{?[A-Za-z]+\}?|…)" if part.startswith("<") else re.escape(part)
        for part in route.split("/")
    ]
    if re.search(rf"/{'/'.join(parts)}[`?| ]", told):
        return True
    # `…/events` after the address that it begins as.
    return bool(re.search(rf"[`/](…)?/{parts[-1]}[`?| ]", told)) and len(parts) > 2


def pages() -> Iterator[tuple[str, URLPattern]]:
    urls: Any = admin.site.urls[0]
    yield from within(urls, "/admin/")


@pytest.mark.usefixtures("clean")
def test_no_page_of_the_admin_is_for_staff_without_its_permission() -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(User.objects.create_user("trainee", is_staff=True))

    shown = {}
    for route, pattern in pages():
        if pattern.name in OF_ALL_STAFF:
            continue
        path = re.sub(r"<[^>]+>|\(\?P<.*", "a" * 24, route)
        for method in ("get", "post"):
            status = getattr(client, method)(path).status_code
            if status not in (302, 400, 403, 404, 405):
                shown[f"{method} {path}"] = status

    assert shown == {}


@pytest.mark.usefixtures("clean")
def test_who_may_see_nothing_is_told_how_all_is_and_no_more() -> None:
    order_id = ObjectId()
    connection.database["orders"].insert_one({"_id": order_id, "user_id": 101})
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_user("trainee", is_staff=True))

    for page in ("", "overview/", "wall"):
        parts = re.findall(r'data-part="([a-z]+)"[^>]*>(?!</)', read(client, f"/admin/{page}"))
        assert parts == ["verdict"], page
    for term in (str(order_id), "101"):
        assert f"/admin/orders/order/{order_id}/" not in read(client, f"/admin/search?q={term}")


def read(client: Client, page: str) -> str:
    return client.get(page).content.decode()


@pytest.mark.usefixtures("clean")
def test_no_page_of_the_admin_is_for_whoever_is_not_logged_in() -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)

    shown = {}
    for route, pattern in pages():
        if pattern.name in ("login", "jsi18n"):
            continue
        path = re.sub(r"<[^>]+>|\(\?P<.*", "a" * 24, route)
        answer = client.get(path)
        if answer.status_code not in (302, 404, 405):
            shown[path] = answer.status_code

    assert shown == {}
