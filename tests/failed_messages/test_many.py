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

from failed_messages.models import FailedMessage, FailureGroup
from failed_messages.reading.affected_orders import affected_orders
from failed_messages.reading.filters import Filter
from failed_messages.reading.listing import newest_ids
from failed_messages.reading.preview import preview
from failed_messages.records.collection import failed_messages
from messaging.service import services
from tests.emptying import build_indexes_anew, empty_everything
from tests.failed_messages.letters import failed

MANY = 5_000
PAGE = 50


@pytest.fixture(scope="module")
def many(services) -> None:
    """Copies of one failed message, every hundredth discarded, every order its own."""
    empty_everything()
    build_indexes_anew(failed_messages())
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


def operator() -> User:
    user, _ = User.objects.get_or_create(
        username="operator", defaults={"is_staff": True, "is_superuser": True}
    )
    return user


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
        "?status=all",
        "?status=failed",
        "?status=discarded",
        "?service=orders",
        "?service=orders&status=failed",
        "?reason=attempts_used_up",
        "?q=o77",
        "?q=m77",
        "?q=4321",
        "?type=order.placed",
        "?group={group}",
        "?group={group}&status=failed",
        "?newerThan=1h",
        "?service=billing&reason=attempts_used_up",
        "?service=billing&status=failed&type=order.placed",
        "?status=failed&reason=attempts_used_up&type=order.placed",
        "?p=3",
        "?sort=longest&status=failed",
        "?sort=first",
        "?sort=first&status=failed",
        "?sort=first&group={group}&status=failed",
        "?sort=attempts&status=failed",
        "?sort=attempts&service=billing&reason=attempts_used_up",
        "?q=nowhere",
        "?error=nowhere&status=failed",
    ],
)
def test_a_list_fetches_its_own_page_alone(many, query):
    for operation in of_a_page_alone(f"/admin/failed_messages/failedmessage/{query}"):
        # What a search has found by its ids is sorted; a whole list never is.
        assert not operation.get("hasSortStage") or operation["docsExamined"] == 1, operation


@pytest.mark.parametrize(
    "query", ["?q=timed OUT&service=orders", "?error=timed OUT&service=orders"]
)
def test_a_search_for_words_obeys_every_filter_and_says_when_it_shows_a_part(many, query):
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator())
    page = client.get(f"/admin/failed_messages/failedmessage/{query}").content.decode()
    assert f"{MANY // 50} results" in page
    assert "add a filter" not in page

    page = client.get("/admin/failed_messages/failedmessage/?q=timed+out").content.decode()
    assert "The newest 1,000; add a filter to see others." in page


def test_words_of_an_error_are_found_and_counted_in_the_index_alone(many):
    with profiled() as operations:
        assert len(newest_ids(Filter(error="timed OUT"), 1_000)) == 1_000
        assert preview(Filter(error="nowhere")).messages == 0

    assert max(operation.get("docsExamined", 0) for operation in operations) == 0


def test_which_orders_are_held_up_is_read_from_an_index_alone(many):
    with profiled() as operations:
        assert len(affected_orders(services()["billing"]).held_up) > MANY * 0.9

    assert max(operation.get("docsExamined", 0) for operation in operations) == 0


def test_a_list_loads_neither_bodies_nor_certificates(many):
    request = RequestFactory().get("/")
    listed = site.get_model_admin(FailedMessage).get_queryset(request)[:1][0]

    assert {"body", "certificates", "headers", "preview"} <= listed.get_deferred_fields()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?service=orders&status=failed",
        "?group={group}&status=failed",
        "?orderId=o77",
        "?q=m77",
        "?type=order.placed&newerThan=1h",
        "?error=nowhere",
        "?q=nowhere",
        "/groups",
        "/groups?status=new",
    ],
)
def test_the_api_reads_indexes_and_its_own_page_alone(many, query):
    of_a_page_alone(f"/failed-messages{query}")


def of_a_page_alone(path: str) -> list[dict[str, Any]]:
    """What MongoDB does for the page, each of it by an index and for one page of documents."""
    path = path.replace("{group}", FailureGroup.objects.get().pk)
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator())
    with profiled() as operations:
        assert client.get(path).status_code == 200

    assert operations
    for operation in operations:
        assert "COLLSCAN" not in operation.get("planSummary", ""), operation
        assert operation.get("docsExamined", 0) <= PAGE * 4, operation
    return operations


def test_a_preview_counts_all_of_a_group_from_its_index(many):
    group = FailureGroup.objects.get().pk
    with profiled() as operations:
        assert preview(Filter(group=group)).messages == MANY + 1 - 50

    assert all("COLLSCAN" not in each.get("planSummary", "") for each in operations)
