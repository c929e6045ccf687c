"""OWASP API2:2023: nobody is taken for somebody else, by either way of a request."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, override_settings
from pymongo.errors import AutoReconnect

from failed_messages.models import AuditEntry
from failed_messages.records import audit
from orders.collection import orders
from ordersite.access import bearer, keys
from ordersite.access.models import ApiKey
from runtime.mongodb_clock import mongodb_now
from tests.asgi_client import AsgiClient
from tests.security.conftest import client_of, secret

pytestmark = pytest.mark.usefixtures("closed")

ORDER = '{"userId": 101, "items": ["book", "pen"]}'
JSON = "application/json"


def place(authorization: str | None, way: type = Client, body: str = ORDER) -> HttpResponse:
    headers = {"host": "localhost"} | ({"authorization": authorization} if authorization else {})
    client: Any = Client(raise_request_exception=False) if way is Client else AsgiClient()
    return client.post("/orders", body, content_type=JSON, headers=headers)


@pytest.fixture(params=[Client, AsgiClient], ids=["django", "fast path"])
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_without_a_key_nothing_is_placed_and_the_challenge_says_what_to_send(way: type) -> None:
    answer = place(None, way)

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"] == 'Bearer realm="ordersite", scope="orders:place"'
    assert "Authorization: Bearer" in answer.json()["detail"]
    assert orders().count_documents({}) == 0


def test_a_key_places_orders_by_both_ways(way: type) -> None:
    key = secret("orders:place", user_id=101)

    answers = [place(f"Bearer {key}", way) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer ordersite_",
        "Bearer ordersite_0123456789abcdef_" + "A" * 43,
        "Bearer ordersite_{$gt}_" + "A" * 43,
        "Bearer " + "A" * 100_000,
        "Bearer e30.e30.",
        "Bearer \xe9",
        "Basic bm9ib2R5Om5vdGhpbmc=",
        "Basic %%%",
        "Digest username=admin",
        "ordersite_0123456789abcdef_" + "A" * 43,
    ],
    ids=lambda text: text[:30],
)
def test_what_is_not_a_key_is_refused_also_in_development(authorization: str, way: type) -> None:
    for is_open in (False, True):
        with override_settings(API_IS_OPEN=is_open):
            answer = place(authorization, way)
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
        assert "realm=" in answer["WWW-Authenticate"]
    assert orders().count_documents({}) == 0


def test_a_changed_key_is_unknown(way: type) -> None:
    key = secret("orders:place", user_id=101)
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")

    for each in (changed, key.upper(), key[:-1], key + "A", key.replace("ordersite_", "")):
        answer = place(f"Bearer {each}", way)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer["WWW-Authenticate"]
        assert each not in answer.content.decode()


@pytest.mark.parametrize("change", [{"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "revoke"])
def test_an_ended_key_is_told_why(change: Any, way: type) -> None:
    key = secret("orders:place", user_id=101)
    record = ApiKey.objects.get()
    if change == "revoke":
        keys.revoke(record.pk, by="a test")
    else:
        ApiKey.objects.update(**change)

    answer = place(f"Bearer {key}", way)

    assert answer.status_code == 401
    why = "revoked" if change == "revoke" else "expired"
    assert answer["WWW-Authenticate"].endswith(f'error_description="the key is {why}"')


@override_settings(REVOKED_WITHIN_SECONDS=0.2)
def test_a_revoked_key_ends_within_the_time_that_the_setting_says(way: type) -> None:
    key = secret("orders:place", user_id=101)
    assert place(f"Bearer {key}", way).status_code == 201

    keys.revoke(ApiKey.objects.get().pk, by="a test")
    revoked_at = datetime.now(UTC)
    while place(f"Bearer {key}", way).status_code == 201:
        assert datetime.now(UTC) - revoked_at < timedelta(seconds=2)

    assert place(f"Bearer {key}", way).status_code == 401


@override_settings(REVOKED_WITHIN_SECONDS=0)
def test_a_stream_ends_with_its_key() -> None:
    key = secret("orders:place", "orders:read", user_id=101)
    order_id = place(f"Bearer {key}").json()["order"]["orderId"]

    stream = iter(client_of(key).get(f"/orders/{order_id}/events"))
    assert b"retry" in next(stream)
    assert b"event: timeline" in next(stream)
    keys.revoke(ApiKey.objects.get().pk, by="a test")

    assert list(stream) == [b": the key or the order is gone\n\n"]


@override_settings(REVOKED_WITHIN_SECONDS=0)
def test_metrics_are_told_while_mongodb_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    scopes = (["pipeline:read"], ["pipeline:read", "orders:read"])
    readers = [client_of(secret(*each)) for each in scopes]
    assert [each.get("/metrics").status_code for each in readers] == [200, 200]

    def lost(key: str) -> None:
        raise AutoReconnect("connection closed")

    monkeypatch.setattr(keys, "find", lost)

    assert [each.get("/metrics").status_code for each in readers] == [200, 503]
    assert client_of(f"ordersite_{'0' * 16}_{'A' * 43}").get("/metrics").status_code == 503


def test_no_key_is_remembered_past_its_end() -> None:
    soon = mongodb_now() + timedelta(seconds=1)

    assert bearer.seconds_until(soon) <= 1
    assert bearer.seconds_until(None) == 5


def test_after_a_rotation_both_keys_work_until_the_older_one_ends(way: type) -> None:
    old = secret("orders:place", user_id=101)
    new = keys.rotate(ApiKey.objects.get().pk, by="a test", overlap=timedelta(hours=1))

    assert [place(f"Bearer {key}", way).status_code for key in (old, new.secret)] == [201, 201]
    older = ApiKey.objects.exclude(pk=new.record.pk).get()
    assert older.expires_at <= datetime.now(UTC) + timedelta(hours=1)
    assert (new.record.client, new.record.scopes) == (older.client, older.scopes)


def test_what_is_stored_cannot_be_sent() -> None:
    key = secret("orders:place", user_id=101)
    record = ApiKey.objects.get()

    assert key not in str(vars(record))
    # `ordersite_<id>_<secret>`, and a secret may have an underscore.
    assert key.split("_", 2)[2] not in str(vars(record))
    assert client_of(record.digest).get("/orders").status_code == 401


def test_whoever_makes_rotates_or_revokes_a_key_is_in_the_audit_log() -> None:
    made = keys.create("a shop", ["orders:place"], by="alice", user_id=None)
    new = keys.rotate(made.record.pk, by="bob").record
    for _ in range(2):
        keys.revoke(new.pk, by="carol")

    entries = AuditEntry.objects.filter(subject="key").order_by("at")
    assert [(each.act, each.by, each.subject_id) for each in entries] == [
        ("create", "alice", made.record.pk),
        ("rotate", "bob", made.record.pk),
        ("revoke", "carol", new.pk),
    ]
    assert json.loads(entries[0].after)["scopes"] == ["orders:place"]
    assert json.loads(entries[1].after)["newKey"] == new.pk
    log = "".join(each.after for each in entries)
    assert made.secret not in log
    assert made.record.digest not in log


def test_a_key_that_the_audit_log_cannot_note_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: Any, **arguments: Any) -> None:
        raise AutoReconnect("MongoDB is gone")

    monkeypatch.setattr(audit, "note", fail)
    with pytest.raises(AutoReconnect):
        keys.create("a shop", ["orders:place"], by="alice", user_id=None)

    assert not ApiKey.objects.exists()


def test_the_last_use_is_noted_and_not_at_each_request(way: type) -> None:
    key = secret("orders:place", user_id=101)
    place(f"Bearer {key}", way)
    first = ApiKey.objects.get().last_used_at

    bearer.remembered.forget()
    place(f"Bearer {key}", way)

    assert first is not None
    assert ApiKey.objects.get().last_used_at == first


def test_an_operator_makes_lists_rotates_and_revokes_keys_in_the_terminal() -> None:
    made = command("create", "a shop", "--shop", "--scope", "orders:place,failed-messages:*")
    assert client_of(made["key"]).get("/failed-messages").status_code == 200
    rotated = command("rotate", made["id"], "--overlap", "1h")
    revoked = command("revoke", made["id"])

    [newer, older] = command("list")
    assert (newer["id"], newer["state"]) == (rotated["id"], "active")
    assert (older["id"], older["state"], revoked["state"]) == (made["id"], "revoked", "revoked")
    assert "key" not in newer
    bearer.remembered.forget()
    assert client_of(rotated["key"]).get("/failed-messages").status_code == 200
    assert client_of(made["key"]).get("/failed-messages").status_code == 401


def command(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("api_keys", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())
