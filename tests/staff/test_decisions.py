"""Every decision about the staff is one JSON line, allowed or denied; a denied act is audited."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from failed_messages.models import AuditEntry
from ordersite.staff import decisions
from runtime.decision_log import decided
from runtime.json_lines import JsonLines
from runtime.requests.token_buckets import Buckets
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.security.conftest import WithKey, closed, closed_api, products, with_key  # noqa: F401


@pytest.fixture(autouse=True)
def nothing_noted_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "_noted", Buckets(decisions.AUDITED_ONCE_SECONDS))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the log of decisions says, as the site writes it."""
    kept = Kept()
    logger = logging.getLogger("decisions")
    logger.addHandler(kept)
    yield kept.lines
    logger.removeHandler(kept)


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def test_a_line_is_json_with_ecs_names_whatever_the_values_hold(lines: list[str]) -> None:
    decided(
        "replay", by="eve\n{}\u2028\ud800", allowed=False, source__ip="::1", url__path="x" * 9999
    )

    [line] = lines
    assert line.isascii()
    assert line.splitlines() == [line]
    event = json.loads(line)
    assert event["event.action"] == "replay"
    assert event["event.outcome"] == "failure"
    assert event["event.type"] == ["denied"]
    assert len(event["url.path"]) == 500


@pytest.mark.usefixtures("clean")
def test_what_staff_do_in_the_admin_is_told_allowed_and_denied(lines: list[str]) -> None:
    message = failed()
    boss, viewer = staff(), staff("view_failedmessage")
    url = "/admin/failed_messages/failedmessage/act/discard/"

    assert boss.get(f"{url}?id={message.pk}").status_code == 200
    assert viewer.post(url, {"id": message.pk, "reason": "no"}).status_code == 403

    told = [json.loads(each) for each in lines if "act" in each and "login" not in each]
    assert [each["event.outcome"] for each in told] == ["success", "failure"]
    assert told[1]["user.name"] == "operator with view_failedmessage"
    assert told[1]["http.request.method"] == "POST"
    entry = AuditEntry.objects.get(act="denied")
    assert (entry.by, entry.subject) == ("operator with view_failedmessage", "request")
    assert entry.subject_id == f"POST {url}"


@pytest.mark.usefixtures("closed")
def test_what_staff_change_where_customers_do_is_told(
    lines: list[str],
    with_key: WithKey,  # noqa: F811
) -> None:
    order = {"userId": 101, "items": ["book"]}
    customer = with_key("orders:place", "orders:cancel", user_id=101)
    placed = customer.post("/orders", order, "application/json").json()["order"]["orderId"]
    assert not any("orders" in each for each in lines)

    staff().post(f"/orders/{placed}/cancel", {}, "application/json")

    [told] = [json.loads(each) for each in lines if "/cancel" in each]
    assert (told["event.outcome"], told["user.name"]) == ("success", "operator")


@pytest.mark.usefixtures("closed")
def test_a_customer_who_is_denied_is_told_and_fills_no_audit_log(
    lines: list[str],
    with_key: WithKey,  # noqa: F811
) -> None:
    for user_id in (101, None):
        client = with_key("orders:read", user_id=user_id)
        assert client.post("/products", {}, "application/json").status_code == 403

    assert sum("POST /products" in each or '"/products"' in each for each in lines) == 2
    assert AuditEntry.objects.filter(act="denied").count() == 1


@pytest.mark.usefixtures("closed")
def test_a_shop_that_is_denied_again_and_again_is_audited_once_a_minute(
    lines: list[str],
    with_key: WithKey,  # noqa: F811
) -> None:
    program, another = with_key("catalogue:read"), with_key("catalogue:read")
    order = {"userId": 101, "items": ["book"]}

    for _ in range(3):
        assert program.post("/orders", order, "application/json").status_code == 403
    for sku in ("book", "pen"):
        assert program.patch(f"/products/{sku}", {}, "application/json").status_code == 403
    another.post("/orders", order, "application/json")

    assert sum("event.outcome" in each for each in lines) == 6
    audited = AuditEntry.objects.filter(act="denied").values_list("subject_id", flat=True)
    assert sorted(audited) == ["PATCH /products/book", *["POST /orders"] * 2]


@pytest.mark.usefixtures("clean")
def test_logins_are_told(lines: list[str]) -> None:
    User.objects.create_superuser("boss", password="right-and-long-enough")
    client = Client(SERVER_NAME="localhost")
    for password in ("wrong", "right-and-long-enough"):
        client.post("/admin/login/", {"username": "boss", "password": password})

    told = [json.loads(each) for each in lines]
    logins = [each["event.outcome"] for each in told if each["event.action"] == "login"]
    assert logins == ["failure", "success"]
    assert not any("right-and-long" in each for each in lines)
