"""MongoDB's own query planner says whether a query of the ORM uses an index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import Exact, In
from django.test.utils import CaptureQueriesContext
from django_mongodb_backend.compiler import SQLCompiler
from django_mongodb_backend.query import MongoQuery

from orders.models import Order

pytestmark = pytest.mark.usefixtures("clean")

CORRECTIONS = [
    (Exact, "as_mql_path"),
    (In, "as_mql_path"),
    (RelatedIn, "as_mql_path"),
    (SQLCompiler, "build_query"),
    (MongoQuery, "get_pipeline"),
]


@pytest.fixture
def uncorrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend as it is installed."""
    for owner, name in CORRECTIONS:
        monkeypatch.setattr(owner, name, getattr(owner, name).__wrapped__)


@pytest.fixture
def users() -> list[User]:
    names = ["ada", "bob", "cleo", "dan"]
    return User.objects.bulk_create(
        User(username=name, first_name=name.title(), password="x") for name in names
    )


def stages(queryset: QuerySet[Any]) -> set[str]:
    """The names of all stages in the plan that MongoDB has chosen."""
    explained = json.loads(queryset.explain())
    explained.pop("command", None)
    return {stage for stage in _stages(explained) if stage}


def _stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, list):
        for each in plan:
            yield from _stages(each)
    if isinstance(plan, dict):
        yield plan.get("stage", "")
        yield from (key for key in plan if key.startswith("$"))
        for key, value in plan.items():
            if key != "rejectedPlans":
                yield from _stages(value)


def test_a_lookup_by_a_unique_column_uses_its_index(users: list[User]) -> None:
    for found in (
        User.objects.filter(username="bob"),
        User.objects.filter(username__in=["bob", "dan"]),
    ):
        assert "IXSCAN" in stages(found)
        assert "COLLSCAN" not in stages(found)


def test_an_ordered_list_uses_the_index_and_sorts_nothing(users: list[User]) -> None:
    newest = User.objects.order_by("-pk")[:2]

    for listed in (newest, newest.only("username"), newest.values_list("username")):
        assert "IXSCAN" in stages(listed)
        assert not stages(listed) & {"COLLSCAN", "SORT", "$sort"}
    assert [user.username for user in newest] == ["dan", "cleo"]


@pytest.mark.parametrize("filters", [{}, {"user_id": 101}, {"status": "placed"}])
def test_the_lists_of_orders_use_indexes(filters: dict[str, Any]) -> None:
    newest = Order.objects.filter(**filters).order_by("-pk")[:20]

    assert "IXSCAN" in stages(newest)
    assert not stages(newest) & {"COLLSCAN", "SORT", "$sort"}


@pytest.mark.usefixtures("uncorrected")
def test_the_backend_still_needs_the_corrections(users: list[User]) -> None:
    assert "COLLSCAN" in stages(User.objects.filter(username="bob"))
    assert "$sort" in stages(User.objects.order_by("-pk")[:2])
    assert "$project" not in pipeline(User.objects.defer("password"))


def test_deferred_columns_stay_in_the_database(users: list[User]) -> None:
    sent = pipeline(User.objects.defer("password"))

    assert "'username': 1" in sent
    assert "password" not in sent
    assert User.objects.defer("password").get(username="bob").password == "x"


def pipeline(queryset: QuerySet[Any]) -> str:
    """The aggregation pipeline that the query sends to MongoDB."""
    with CaptureQueriesContext(connection) as captured:
        list(queryset)
    return captured.captured_queries[-1]["sql"]


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (Q(username="bob"), ["bob"]),
        (Q(username="$bob"), []),
        (Q(username__in=["bob", None]), ["bob"]),
        (Q(username__in=[]), []),
        (~Q(username="bob"), ["ada", "cleo", "dan"]),
        (Q(username="bob") | Q(first_name="Dan"), ["bob", "dan"]),
        (Q(groups__name="nobody"), []),
    ],
)
def test_lookups_find_what_they_found_before(users: list[User], found: Q, names: list[str]) -> None:
    ordered = User.objects.filter(found).order_by("username")

    assert [user.username for user in ordered] == names
    assert ordered.count() == len(names)


def test_orders_with_missing_values_are_as_before(users: list[User]) -> None:
    last = users[0]
    last.last_login = last.date_joined
    last.save(update_fields=["last_login"])

    def first(ordering: Any) -> User:
        return User.objects.order_by(ordering, "pk")[0]

    assert first("last_login") == users[1]
    assert first("-last_login") == last
    assert first(F("last_login").asc(nulls_last=True)) == last
    assert User.objects.order_by("pk").reverse().first() == users[-1]
    assert list(User.objects.order_by("-username").values_list("username", flat=True)[1:3]) == [
        "cleo",
        "bob",
    ]
    assert list(User.objects.values("is_staff").order_by("is_staff").distinct()) == [
        {"is_staff": False}
    ]
