"""With very many failed messages every list reads its own page and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bson import ObjectId
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory

from failed_messages.collection import failed_messages
from failed_messages.models import FailedMessage
from failed_messages.search import search
from tests.failed_messages.letters import failed

pytestmark = pytest.mark.usefixtures("clean")

MANY = 5_000
PAGE = 50


@pytest.fixture
def many() -> None:
    """Copies of one failed message, every hundredth discarded, every order its own."""
    failed()
    pattern = failed_messages().find_one()
    assert pattern is not None
    failed_messages().insert_many(
        {
            **pattern,
            "_id": ObjectId(),
            "message_id": f"m{number}",
            "order_id": f"o{number}",
            "user_id": str(number),
            "status": "failed" if number % 100 else "discarded",
            "service": "billing" if number % 50 else "orders",
        }
        for number in range(MANY)
    )


@contextmanager
def profiled() -> Iterator[list[dict[str, Any]]]:
    """What MongoDB did meanwhile: one entry an operation on failed messages."""
    database = connection.database
    entries: list[dict[str, Any]] = []
    database.command("profile", 2)
    try:
        yield entries
    finally:
        database.command("profile", 0)
        namespace = f"{database.name}.failed_messages"
        entries.extend(database["system.profile"].find({"ns": namespace}))
        database["system.profile"].drop()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?status=discarded",
        "?service=orders",
        "?service=orders&status=failed",
        "?reason=attempts_used_up",
        "?q=o77",
        "?q=m77",
        "?q=4321",
        "?p=3",
    ],
)
def test_a_list_fetches_its_own_page_alone(many, query):
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("operator"))
    with profiled() as operations:
        assert client.get(f"/admin/failed_messages/failedmessage/{query}").status_code == 200

    assert operations
    for operation in operations:
        assert "COLLSCAN" not in operation.get("planSummary", ""), operation
        assert operation.get("docsExamined", 0) <= PAGE * 4, operation
        # What a search has found by its ids is sorted; a whole list never is.
        assert not operation.get("hasSortStage") or operation["docsExamined"] == 1, operation


def test_words_of_an_error_are_found_in_the_index_alone(many):
    with profiled() as operations:
        assert len(search("timed OUT")) == 1_000

    assert max(operation.get("docsExamined", 0) for operation in operations) == 0


def test_a_list_loads_neither_bodies_nor_certificates(many):
    request = RequestFactory().get("/")
    listed = site.get_model_admin(FailedMessage).get_queryset(request)[:1][0]

    assert {"body", "certificates", "headers", "preview"} <= listed.get_deferred_fields()
