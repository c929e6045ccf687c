"""API keys in the admin: shown once, and no more given than whoever gives it has."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from pymongo.errors import AutoReconnect

from ordersite.access import keys
from ordersite.access.models import ApiKey
from tests.browser_form import BrowserForm
from tests.security.conftest import client_of

pytestmark = pytest.mark.usefixtures("closed")

LIST = "/admin/access/apikey/"
FORM = {"name": "the app", "user_id": "101", "scopes": ["orders:read"], "days": "30", "rate": ""}


def staff(*permissions: str) -> Client:
    """With these permissions; a superuser where none is named."""
    user = User.objects.create_user("operator", is_staff=True, is_superuser=not permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def act(client: Client, action: str, *ids: str) -> HttpResponse:
    chosen = {"action": action, "_selected_action": list(ids)}
    return client.post(LIST, chosen, follow=True)


def secrets(page: HttpResponse) -> list[str]:
    return re.findall(r"ordersite_[0-9a-f]{16}_[\w-]{43}", page.content.decode())


def test_a_key_is_made_and_shown_once() -> None:
    client = staff()

    made = client.post(f"{LIST}add/", FORM)

    [key] = secrets(made)
    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    record = ApiKey.objects.get()
    assert (record.user_id, record.scopes, record.created_by) == (101, ["orders:read"], "operator")
    assert (record.expires_at - record.created_at).days == 30
    assert client_of(key).get("/orders").json()["orders"] == []
    for page in (LIST, f"{LIST}{record.pk}/change/", f"{LIST}?q={record.pk}"):
        shown = client.get(page)
        assert (shown.status_code, record.pk in shown.content.decode()) == (200, True), page
        assert not secrets(shown)
        assert '<a href="/admin/orders/order/?q=101">101</a>' in shown.content.decode()
        assert record.digest not in shown.content.decode()


def test_a_form_that_is_sent_twice_makes_one_key() -> None:
    client = staff()
    page = client.get(f"{LIST}add/").content.decode()
    sent = BrowserForm(page, "apikey_form").sent(**FORM)

    [key] = secrets(client.post(f"{LIST}add/", sent))
    second = client.post(f"{LIST}add/", sent, follow=True)

    made = ApiKey.objects.get()
    assert f"this form has made the key {made.pk} before" in second.content.decode()
    assert not secrets(second)
    assert client_of(key).get("/orders").status_code == 200


def test_two_clicks_rotate_a_key_once() -> None:
    client = staff()
    client.post(f"{LIST}add/", FORM)
    id_ = ApiKey.objects.get().pk

    [new] = secrets(act(client, "rotate", id_))
    second = act(client, "rotate", id_)

    assert not secrets(second)
    assert f"was rotated to {new.split('_')[1]} before; rotate that one" in second.content.decode()
    assert ApiKey.objects.count() == 2
    assert secrets(act(client, "rotate", new.split("_")[1]))


def test_keys_are_rotated_and_revoked() -> None:
    client = staff()
    [old] = secrets(client.post(f"{LIST}add/", FORM))
    id_ = ApiKey.objects.get().pk

    [new] = secrets(act(client, "rotate", id_))
    assert [client_of(key).get("/orders").status_code for key in (old, new)] == [200, 200]
    act(client, "revoke", id_)
    refused = act(client, "rotate", id_)

    assert ApiKey.objects.get(pk=id_).revoked_by == "operator"
    assert "is revoked; create another one" in refused.content.decode()
    assert ApiKey.objects.count() == 2


def test_several_keys_are_rotated_all_or_none_where_one_may_not_be() -> None:
    """A key that was rotated before the other was refused would be shown to nobody."""
    for scopes in (["orders:read"], ["orders:cancel"], ["orders:read"]):
        keys.create("a shop", scopes, by="me", user_id=None)
    ids = list(ApiKey.objects.values_list("pk", flat=True))

    answer = act(staff("change_apikey", "view_order"), "rotate", *ids)

    assert answer.status_code == 403
    assert ApiKey.objects.count() == 3


def test_a_key_that_cannot_be_rotated_hides_no_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        keys.create("a shop", ["orders:read"], by="me", user_id=None)
    ids = list(ApiKey.objects.values_list("pk", flat=True))
    rotate, asked = keys.rotate, []

    def rotate_the_first(id_: str, **arguments: Any) -> keys.NewKey:
        asked.append(id_)
        if len(asked) > 1:
            raise AutoReconnect("a test")
        return rotate(id_, **arguments)

    monkeypatch.setattr(keys, "rotate", rotate_the_first)

    answer = act(staff(), "rotate", *ids)

    assert len(secrets(answer)) == 1
    assert "was not rotated, because of an error" in answer.content.decode()


def test_a_second_click_revokes_nothing_again() -> None:
    made = keys.create("a shop", ["orders:read"], by="me", user_id=None)
    client = staff()

    assert "is revoked." in act(client, "revoke", made.record.pk).content.decode()
    second = act(client, "revoke", made.record.pk).content.decode()

    assert "was revoked already, at " in second
    assert "is revoked." not in second


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            {"name": ""},
            {"name": "a\u200bb"},
            {"name": "a\nb"},
            {"user_id": "0"},
            {"user_id": "x"},
            {"user_id": str(2**63)},
        ),
        *({"scopes": []}, {"scopes": ["root"]}, {"scopes": ["stock:write"]}),
        *({"days": "0"}, {"days": "99999"}, {"rate": "0"}, {"rate": "-1"}),
    ],
    ids=str,
)
def test_a_form_that_makes_no_sense_makes_no_key(wrong: dict[str, Any]) -> None:
    answer = staff().post(f"{LIST}add/", FORM | wrong)

    assert (answer.status_code, secrets(answer)) == (200, [])
    assert not ApiKey.objects.exists()


def test_nobody_gives_a_scope_that_they_lack() -> None:
    client = staff("change_apikey", "view_order")

    assert client.post(f"{LIST}add/", FORM).status_code == 200
    assert client.post(f"{LIST}add/", FORM | {"scopes": ["orders:cancel"]}).status_code == 403
    assert ApiKey.objects.count() == 1


def test_a_user_who_may_only_view_changes_nothing() -> None:
    record = ApiKey.objects.create(
        id="0" * 16, client="x", name="x", scopes=[], created_at=datetime.now(UTC)
    )
    client = staff("view_apikey")

    assert client.get(f"{LIST}{record.pk}/change/").status_code == 200
    assert client.post(f"{LIST}add/", FORM).status_code == 403
    act(client, "revoke", record.pk)
    act(client, "rotate", record.pk)
    client.post(f"{LIST}{record.pk}/change/", {"name": "y", "revoked_at": ""})

    [kept] = ApiKey.objects.all()
    assert (kept.name, kept.revoked_at) == ("x", None)
