"""The admin's first page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def operator() -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("operator"))
    return client


def test_failed_messages_come_first_and_users_last(operator: Client) -> None:
    page = operator.get("/admin/").content.decode()

    apps = re.findall(r'<div class="app-([a-z_]+) module', page)
    assert apps[: len(apps) // 2][0] == "failed_messages"
    assert apps[-1] == "auth"
    assert "Operator&#x27;s desk" in page


def test_the_address_without_a_slash_leads_to_the_admin(operator: Client) -> None:
    assert operator.get("/admin", follow=True).redirect_chain[-1][0] == "/admin/"


def test_the_admin_keeps_its_own_pages_for_errors(operator: Client) -> None:
    response = operator.get("/admin/nothing/here/")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_every_list_of_the_admin_opens(operator: Client) -> None:
    page = operator.get("/admin/").content.decode()

    for path in sorted(set(re.findall(r'href="(/admin/\w+/\w+/)"', page))):
        assert operator.get(path, follow=True).status_code == 200, path


def test_an_empty_name_of_a_field_is_none(operator: Client) -> None:
    someone = User.objects.create_user("someone")

    answer = operator.post(f"/admin/auth/user/{someone.pk}/delete/", {"_to_field": ""})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/auth/user/")
    assert not User.objects.filter(pk=someone.pk).exists()
