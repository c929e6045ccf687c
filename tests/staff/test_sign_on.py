"""OpenID Connect: the provider says who it is and which groups, and nothing more than that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.utils import timezone

from failed_messages.models import AuditEntry
from ordersite.staff import provider_accounts
from ordersite.staff.models import ProviderAccount
from ordersite.staff.roles import make_roles
from tests.staff.provider import Provider

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    started = Provider()
    yield started
    started.stop()


@pytest.fixture
def provider(running: Provider) -> Iterator[Provider]:
    running.claims, running.signs_with, running.status = {}, running.key, 200
    make_roles()
    with override_settings(**running.settings()):
        yield running


def log_in(provider: Provider, client: Client | None = None, **claims: Any) -> Client:
    """A browser that went to the provider and came back with what it says."""
    client = client or Client(SERVER_NAME="localhost")
    sent = client.get("/oidc/authenticate/?next=/admin/")
    asked = parse_qs(urlsplit(sent["Location"]).query)
    assert sent["Location"].startswith(f"{provider.url}/authorize?")
    assert asked["code_challenge_method"] == ["S256"]
    nonce = {"nonce": asked["nonce"][0]}
    provider.claims = {"preferred_username": "anna", "groups": ["shop-ops"], **nonce, **claims}
    client.get("/oidc/callback/", {"code": "c", "state": asked["state"][0]})
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_groups_of_the_provider_are_the_roles_here(provider: Provider) -> None:
    client = log_in(provider, groups=["everybody", "shop-ops"])

    assert is_in(client)
    user = User.objects.get(username="anna")
    assert [group.name for group in user.groups.all()] == ["operator"]
    assert user.has_perm("failed_messages.replay_failedmessage")
    assert not user.has_perm("failed_messages.edit_failedmessage")
    assert not user.has_usable_password()
    assert client.session.get_expiry_age() <= 3_600


def test_each_login_has_exactly_the_roles_of_now(provider: Provider) -> None:
    log_in(provider, groups=["it"])
    user = User.objects.get(username="anna")
    user.user_permissions.add(Permission.objects.first())
    User.objects.update(is_superuser=True)

    log_in(provider, groups=["shop-ops"])

    user = User.objects.get(username="anna")
    assert [group.name for group in user.groups.all()] == ["operator"]
    assert (user.is_superuser, user.user_permissions.count()) == (False, 0)


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["everybody"]},
        {"groups": None},
        {"groups": {"shop-ops": 1}},
        {"groups": [{"name": "shop-ops"}]},
        {"preferred_username": None},
        {"preferred_username": ["anna"]},
        {"preferred_username": "a" * 151},
        {"preferred_username": "anna\nroot"},
        {"preferred_username": "key 0123456789abcdef of a shop"},
        {"aud": "another-client"},
        {"aud": None},
        {"azp": "another-client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"exp": None},
        {"nonce": "another"},
        {"sub": None},
        {"sub": ""},
        {"sub": "4" * 256},
    ],
)
def test_a_token_that_does_not_say_all_of_it_lets_nobody_in(
    provider: Provider, claims: dict[str, Any]
) -> None:
    assert not is_in(log_in(provider, **claims))


def test_a_token_that_somebody_else_signed_lets_nobody_in(provider: Provider) -> None:
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert not is_in(log_in(provider))


def test_a_provider_that_fails_sends_back_to_the_login(provider: Provider) -> None:
    provider.status = 500

    assert not is_in(log_in(provider))


def test_nobody_becomes_a_local_user_by_their_name(provider: Provider) -> None:
    User.objects.create_superuser("admin", password="for the day when the provider is down")

    client = log_in(provider, preferred_username="admin", groups=["it"])
    assert not is_in(client)
    page = client.get("/admin/login/").content.decode()
    assert "The user admin logs in with a password here" in page
    assert "Log in with the company" in page
    form = {"username": "admin", "password": "for the day when the provider is down"}
    client.post("/admin/login/", form)
    assert is_in(client)


def test_who_is_switched_off_here_stays_out(provider: Provider) -> None:
    client = log_in(provider)
    User.objects.update(is_active=False)

    assert not is_in(client)
    assert not is_in(log_in(provider))


def test_the_audit_log_has_who_came_first_and_whose_roles_changed(provider: Provider) -> None:
    for groups in (["shop-ops"], ["shop-ops"], ["it"]):
        log_in(provider, groups=groups)

    first, second = AuditEntry.objects.order_by("at", "id")
    said = [(each.by, each.act, each.subject, each.subject_id) for each in (first, second)]
    assert said == [
        ("OpenID Connect", "create", "user", "anna"),
        ("OpenID Connect", "change", "user", "anna"),
    ]
    assert json.loads(first.after)["roles"] == ["operator"]
    assert json.loads(second.before) == {"roles": ["operator"]}
    assert json.loads(second.after) == {"roles": ["administrator"]}


@pytest.mark.parametrize("name", ["Anna", "berta"])
def test_who_is_switched_off_stays_out_under_another_name(provider: Provider, name: str) -> None:
    log_in(provider)
    User.objects.update(is_active=False)

    assert not is_in(log_in(provider, preferred_username=name))
    assert User.objects.get().username == "anna"


def test_a_new_name_at_the_provider_is_the_same_user_here(provider: Provider) -> None:
    log_in(provider)

    client = log_in(provider, preferred_username="berta", groups=["it"])

    assert is_in(client)
    user = User.objects.get()
    assert (user.username, [group.name for group in user.groups.all()]) == (
        "anna",
        ["administrator"],
    )
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize("name", ["anna", "ANNA"])
def test_nobody_becomes_another_by_a_name_that_was_given_again(
    provider: Provider, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_in(provider)
    client = log_in(provider, sub="43", preferred_username=name, groups=["it"])

    assert not is_in(client)
    told = client.get("/admin/login/").content.decode()
    assert "belongs to another account of the company" in told
    assert "The user anna belongs to another account" in caplog.text
    assert [group.name for group in User.objects.get().groups.all()] == ["operator"]
    # Once the user is deleted here, the name is free.
    User.objects.get().delete()
    assert is_in(log_in(provider, sub="43", preferred_username=name))
    assert is_in(log_in(provider, preferred_username="anna 42"))
    assert sorted(User.objects.values_list("username", flat=True)) == sorted([name, "anna 42"])


def test_a_user_of_the_release_before_is_known_by_the_name_once_more(provider: Provider) -> None:
    before = User.objects.create_user("anna")

    client = log_in(provider)

    assert client.session["_auth_user_id"] == str(before.pk)
    assert not is_in(log_in(provider, sub="43"))
    assert is_in(log_in(provider, preferred_username="berta"))


def test_after_a_change_of_the_provider_names_count_once_more(provider: Provider) -> None:
    log_in(provider)
    ProviderAccount.objects.update(issuer="https://before.example")

    assert is_in(log_in(provider, sub="new-42"))
    assert not is_in(log_in(provider, sub="43"))
    assert User.objects.count() == 1


def test_a_login_lasts_an_hour_whoever_was_logged_in_before(provider: Provider) -> None:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("admin", password="local"))

    log_in(provider, client)

    assert client.session["_auth_user_id"] == str(User.objects.get(username="anna").pk)
    assert client.session.get_expiry_age() <= 3_600


def test_what_is_done_meanwhile_makes_a_login_no_longer(provider: Provider) -> None:
    client = log_in(provider)
    session = client.session
    now = timezone.now() + timedelta(minutes=50)

    assert session.get_expiry_age(modification=now) <= 600


def test_a_state_that_nobody_was_given_is_refused(provider: Provider) -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)

    answer = client.get("/oidc/callback/", {"code": "c", "state": "forged"})

    assert answer.status_code in (302, 400)
    assert not is_in(client)


def test_two_who_come_with_one_name_at_the_same_moment_are_not_one_user(
    clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.objects.create_user("anna")
    provider_accounts.note(user, "https://one.example", "first")
    # Who had asked before that was written found no account.
    unknown = SimpleNamespace(filter=lambda **_: SimpleNamespace(first=lambda: None))
    monkeypatch.setattr(provider_accounts.ProviderAccount, "objects", unknown)

    with pytest.raises(provider_accounts.NotThatUser):
        provider_accounts.note(user, "https://one.example", "second")

    monkeypatch.undo()
    assert ProviderAccount.objects.get(pk=user.pk).subject == "first"
