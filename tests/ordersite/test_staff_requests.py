"""What makes no sense is told to staff by field and fix, in the dialect of the orders' API."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from failed_messages.acting.job_control import start
from failed_messages.reading.filters import Filter
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.inventory.catalogue import stocked

pytestmark = pytest.mark.usefixtures("clean")

DEEP = b"[" * 3000
SURROGATE = b'{"reason": "\\ud800"}'
MANY_DIGITS = "9" * 5000
STRANGE_DIGIT = "%D9%A3"  # a digit to Python, and to nobody who is asked for a number


def browser() -> Client:
    client = staff()
    client.raise_request_exception = False
    return client


def post(path: str, body: Any, method: str = "POST") -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return browser().generic(method, path, content, content_type="application/json")


def fault_in(response: Any) -> dict[str, str]:
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    [fault] = problem["errors"]
    assert fault["field"] in problem["detail"]
    assert fault["detail"]
    assert fault["fix"]
    return fault


@pytest.mark.parametrize(
    "body", [DEEP, b'{"a":' * 3000, SURROGATE, b"NaN", "{}".encode("utf-16"), b"[]"]
)
@pytest.mark.parametrize("verb", ["replay", "discard", "restore", "edit"])
def test_what_is_not_json_is_refused_by_every_verb(verb: str, body: bytes) -> None:
    message = failed()

    for path in (f"/failed-messages/{message.pk}/{verb}", "/failed-messages/replay"):
        assert fault_in(post(path, body))["field"] in ("body", "a")


@pytest.mark.parametrize("body", [DEEP, SURROGATE, b"", b"null"])
def test_what_is_not_a_delivery_is_refused(body: bytes) -> None:
    stocked(pen=1)
    User.objects.create_superuser("clerk", password="secret")
    login = {"authorization": "Basic " + b64encode(b"clerk:secret").decode()}
    client = Client(raise_request_exception=False, SERVER_NAME="localhost", headers=login)

    answer = client.generic("POST", "/inventory/products/pen/restock", body, "application/json")

    assert '{"quantity": n}' in fault_in(answer)["fix"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("replay", {"group": "a", "reason": 1}, "reason"),
        ("replay", {"group": "a", "reson": "x"}, "reson"),
        ("replay", {"filter": "service=billing", "dryRun": "false"}, "dryRun"),
        ("replay", {"filter": "service=billing", "ratePerSecond": "50"}, "ratePerSecond"),
        ("replay", {"filter": "service=billing", "ratePerSecond": 10**30}, "ratePerSecond"),
        ("replay", {"filter": "newerThan=999999d"}, "filter"),
        ("replay", {"filter": "olderThan=999999999s"}, "filter"),
        ("replay", {"filter": "error=%00"}, "filter"),
        ("replay", {"filter": "q=%ED%A0%80"}, "filter"),
        ("replay", {"filter": "service=billing&service=orders"}, "filter"),
        ("replay", {"group": "a\0"}, "group"),
        ("policies", {"service": "billing", "after": ["999999d"]}, "after[0]"),
        ("policies", {"service": "billing", "after": [1]}, "after[0]"),
        ("policies", {"service": 5, "after": ["1h"]}, "service"),
        ("policies", {"group": "\0", "after": ["1h"]}, "group"),
    ],
)
def test_a_field_that_makes_no_sense_is_named(path: str, body: Any, field: str) -> None:
    failed()

    assert fault_in(post(f"/failed-messages/{path}", body))["field"] == field
    assert connection.database["replay_jobs"].count_documents({}) == 0


def test_triage_names_the_field_as_the_api_calls_it() -> None:
    group = f"/failed-messages/groups/{failed().fingerprint}"

    assert fault_in(post(group, {"status": "fixed"}, "PATCH"))["field"] == "fixedIn"
    assert fault_in(post(group, {"owner": 5}, "PATCH"))["field"] == "owner"
    assert fault_in(post(group, {"colour": "red"}, "PATCH"))["field"] == "colour"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("newerThan=999999d", "newerThan"),
        ("newerThan=%D9%A3d", "newerThan"),
        ("olderThan=3651d", "olderThan"),
        ("error=%00", "error"),
        ("q=a%00b", "q"),
        ("q=%FF", "address"),
        (f"limit={MANY_DIGITS}", "limit"),
        (f"limit={STRANGE_DIGIT}", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=failed&status=resolved", "status"),
        ("&".join(f"a{n}" for n in range(2000)), "address"),
        ("groups", "groups"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(query: str, field: str) -> None:
    failed()

    assert fault_in(browser().get(f"/failed-messages?{query}"))["field"] == field


@pytest.mark.parametrize("query", ["service=x", "status=%00", "status=failed", "x=1"])
def test_groups_name_a_parameter_too(query: str) -> None:
    assert fault_in(browser().get(f"/failed-messages/groups?{query}"))["fix"]


def test_the_longest_age_that_is_taken_finds_what_is_there() -> None:
    failed()

    for age in ("3650d", "87600h", "315360000s"):
        listed = browser().get(f"/failed-messages?newerThan={age}")
        assert len(listed.json()["items"]) == 1


@pytest.mark.parametrize(
    "words", [MANY_DIGITS, "9" * 19, "9" * 30, "%D9%A3", "%00", "-1", "%C2%B2"]
)
@pytest.mark.parametrize(
    "list_",
    [
        *("orders/order", "billing/invoice", "inventory/reservation", "inventory/movement"),
        *("failed_messages/failedmessage", "failed_messages/auditentry", "inventory/product"),
    ],
)
def test_a_search_for_anything_is_a_page(list_: str, words: str) -> None:
    assert browser().get(f"/admin/{list_}/?q={words}").status_code == 200


@pytest.mark.parametrize(
    "query", ["error=%00", "error=x&newerThan=999999d", "newerThan=999999d", "q=x&error=%00"]
)
def test_a_filter_in_the_admins_address_that_is_none_lists_or_tells(query: str) -> None:
    failed()

    page = browser().get(f"/admin/failed_messages/failedmessage/?{query}")

    assert page.status_code == 200
    assert b"must" in page.content


MESSAGES = "failed_messages/failedmessage/"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("r/1/x/", 404),
        ("r/6743f0000000000000000001/%00/", 404),
        ("failed_messages/replayjob/new/?newerThan=999999d", 404),
        ("failed_messages/replayjob/new/?error=%00", 404),
        ("failed_messages/failedmessage/%00/change/", 404),
        (f"orders/order/{MANY_DIGITS}/change/", 302),
        ("orders/order/?o=99999.-1.x", 200),
        ("orders/order/?p=99999999999999999999999", 200),
        ("orders/order/?status__exact=%00", 200),
        ("orders/order/?_to_field=password&_popup=1", 400),
        (f"{MESSAGES}?resolved_at__in=0001-01-01T00:00:00%2B14:00", 302),
        (f"{MESSAGES}?history__exact=x", 302),
        (f"{MESSAGES}?archived_at__gte=9999-12-31T23:59:59-14:00", 302),
        ("orders/order/?_changelist_filters=%00%FF&e=1", 200),
        ("orders/order/?total__lte=" + "9" * 400, 302),
        (f"{MESSAGES}?body__gt=x", 302),
        (f"{MESSAGES}?service__regex=%5B", 400),
        (f"{MESSAGES}?order_id__search=x", 400),
        (f"{MESSAGES}?message_id__endswith=%00", 400),
        ("inventory/product/?sku__iexact=%5B", 400),
        ("failed_messages/replaypolicy/?delays_seconds__contains=.*(", 400),
        ("auth/user/?groups__id__exact=1", 200),
        ("auth/user/?is_staff__exact=1", 200),
    ],
)
def test_an_address_of_the_admin_that_makes_no_sense_ends_as_djangos_do(
    path: str, status: int
) -> None:
    assert browser().get(f"/admin/{path}").status_code == status


def test_a_bulk_replay_that_an_earlier_release_took_is_listed() -> None:
    failed()
    job = start(Filter(service="billing"), "operator")
    stored = {"$set": {"selection": "newerThan=999999d&colour=red"}}
    connection.database["replay_jobs"].update_one({"_id": job}, stored)

    for path in ("", f"{job}/change/"):
        page = browser().get(f"/admin/failed_messages/replayjob/{path}")
        assert (page.status_code, b"999999d" in page.content) == (200, True)
    assert browser().get("/failed-messages/jobs").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "--filter", "newerThan=999999d"], "newerThan: must be"),
        (["list", "--filter", "newerThan=999999d"], "at most 3650d"),
        (["list", "--filter", "error=%00"], "NUL"),
        (["list", "--order", "\udcff"], "order: must be text in UTF-8"),
        (["list", "--limit", MANY_DIGITS], "limit"),
        (["list", "--limit", "999999999999"], "limit"),
        (["replay", "--group", "\udcff"], "group: must be text"),
        (["show", "\udcff"], "ids: must be text"),
        (["discard", "x", "--reason", "\udcff"], "reason: must be text"),
        (["policy", "set", "--service", "billing", "--after", "999999d"], "after"),
        (["policy", "off", "--group", "\udcff"], "group: must be text"),
        (["jobs", "\udcff"], "id: must be text"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("failed_messages", *arguments)


@pytest.mark.parametrize("name", ["\udcff", "x" * 256, "é" * 128])
@pytest.mark.parametrize("command", ["tail", "delete_queue"])
def test_a_name_that_amqp_has_no_room_for_is_refused(command: str, name: str) -> None:
    with pytest.raises(CommandError, match="must"):
        call_command(command, name)


@pytest.mark.parametrize("path", ["/failed-messages", "/inventory/products/pen/restock"])
@pytest.mark.parametrize(
    "login",
    [
        *(
            "Basic",
            "Basic ",
            "Basic %%%",
            "Basic AA==",
            "Basic //86//8=",
            "Basic QQBBOkFB",
            "basic Og==",
        ),
        *("Basic a b", "Bearer x", "Basic " + "QQ" * 50_000, "Basic \xff", "Basic OjpudWxsAA=="),
    ],
    ids=lambda login: login[:20],
)
def test_a_login_that_makes_no_sense_is_none(path: str, login: str) -> None:
    headers = {"host": "localhost", "authorization": login}
    client = Client(raise_request_exception=False, headers=headers)

    answer = client.post(path, b"{}", content_type="application/json")

    assert answer.status_code in (401, 405)
    assert answer["Content-Type"] == "application/problem+json"
