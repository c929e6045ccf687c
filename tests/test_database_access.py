"""A test has MongoDB only if it asked for it, and begins with an empty one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.db import close_old_connections, connection
from django.test import Client

from orders.collection import orders
from tests.settings import OWN_NAME


def test_a_model_is_refused_to_those_who_did_not_ask() -> None:
    with pytest.raises(RuntimeError, match="not allowed"):
        User.objects.count()


def test_a_collection_is_refused_to_those_who_did_not_ask() -> None:
    with pytest.raises(RuntimeError, match="not allowed"):
        orders().find_one({})


def test_their_threads_are_refused_too() -> None:
    with ThreadPoolExecutor() as threads, pytest.raises(RuntimeError, match="not allowed"):
        threads.submit(orders().find_one, {}).result()


@pytest.mark.parametrize("_", range(2))
def test_whoever_asks_begins_with_nothing(db: None, _: int) -> None:
    assert orders().count_documents({}) == 0
    assert User.objects.count() == 0
    orders().insert_one({"_id": 1})
    User.objects.create_user("clerk")


@pytest.mark.django_db
def test_the_mark_asks_too() -> None:
    assert User.objects.count() == 0
    assert connection.database.name == OWN_NAME


def test_an_operator_is_logged_in(admin_client: Client) -> None:
    assert admin_client.get("/admin/").status_code == 200


def test_a_server_in_a_thread_sees_the_same_database(live_server: object) -> None:
    User.objects.create_user("clerk")

    with urlopen(f"{live_server}/orders", timeout=60) as response:
        assert response.status == 200


THREAD = ThreadPoolExecutor(1)


def test_a_thread_of_the_site_opens_a_connection(db: None) -> None:
    assert THREAD.submit(User.objects.count).result() == 0


def test_and_may_ask_whether_it_is_still_good() -> None:
    """As Django does at the beginning of each request, also of one that asks nothing of MongoDB."""
    THREAD.submit(close_old_connections).result()

    with pytest.raises(RuntimeError, match="not allowed"):
        THREAD.submit(User.objects.count).result()
