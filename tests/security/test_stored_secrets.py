"""Whoever reads MongoDB alone has no secret with which to log in or to sign."""

from __future__ import annotations

import time
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from ordersite import stored_secrets
from ordersite.doctor import secrets as doctor
from ordersite.staff import second_factor
from ordersite.staff.session_store import SessionStore
from runtime.stored_secret import PREFIX, UnreadableSecret, decrypted, encrypted
from webhooks import managing
from webhooks.rotation import newest
from webhooks.store import Document, endpoints

OLD, NEW = "an-old-key-" + "abcde" * 10, "a-new-key-" + "fghij" * 10
SECRET = "JBSWY3DPEHPK3PXP"


def browser(session: str) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


@pytest.mark.usefixtures("clean")
def test_a_stored_login_of_the_admin_is_not_one_that_can_be_sent() -> None:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("boss"))
    sent = client.cookies[settings.SESSION_COOKIE_NAME].value
    [stored] = connection.database["django_session"].find()

    assert is_in(browser(sent))
    assert not is_in(browser(stored["session_key"]))
    assert sent not in str(stored)


@pytest.mark.usefixtures("clean")
def test_a_login_of_the_release_before_is_over() -> None:
    session = DjangosStore()
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("boss"))
    session.update(client.session)
    session.save()

    assert not is_in(browser(session.session_key))


@pytest.mark.usefixtures("clean")
def test_a_login_changes_its_key_and_a_logout_ends_it() -> None:
    boss = User.objects.create_superuser("boss")
    client = Client(SERVER_NAME="localhost")
    client.get("/admin/login/")
    sessions = connection.database["django_session"]
    for _ in range(2):
        client.force_login(boss)
    before = client.session
    changed = client.session
    changed.cycle_key()
    assert changed.session_key != before.session_key
    assert (changed.exists(changed.session_key), changed.exists(before.session_key)) == (
        True,
        False,
    )
    assert not is_in(browser(before.session_key))
    assert is_in(browser(changed.session_key))

    left = browser(changed.session_key)
    left.post("/admin/logout/")

    assert not is_in(browser(changed.session_key))
    assert sessions.count_documents({}) == 0


@pytest.mark.usefixtures("clean")
def test_in_asynchronous_code_it_is_stored_as_well_and_ends_after_its_time() -> None:
    session = SessionStore()
    session["said"] = "hello"
    async_to_sync(session.asave)()
    key = session.session_key
    assert async_to_sync(SessionStore(key).aget)("said") == "hello"
    assert async_to_sync(session.aexists)(key)
    assert key not in str(list(connection.database["django_session"].find()))

    session.set_expiry(-1)
    session.save()
    assert "said" not in SessionStore(key)
    SessionStore.clear_expired()
    assert not session.exists(key)


def test_what_is_stored_is_encrypted_each_time_otherwise(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [NEW]
    first, second = encrypted(SECRET), encrypted(SECRET)

    assert first != second
    assert first.startswith(PREFIX)
    assert SECRET not in first
    assert decrypted(first) == decrypted(second) == SECRET


def test_what_was_stored_in_clear_is_read_as_before() -> None:
    assert decrypted(SECRET) == SECRET


def test_the_first_key_encrypts_and_those_behind_it_still_decrypt(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    stored = encrypted(SECRET)

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypted(stored) == SECRET
    new = encrypted(SECRET)

    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypted(new) == SECRET
    with pytest.raises(UnreadableSecret, match="ENCRYPTION_KEYS"):
        decrypted(stored)


def test_without_a_key_of_its_own_the_sites_key_encrypts(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    stored = encrypted(SECRET)

    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypted(stored) == SECRET, "as long as the site's key is the same"
    settings.SECRET_KEY = NEW
    with pytest.raises(UnreadableSecret):
        decrypted(stored)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypted(stored) == SECRET


@pytest.mark.parametrize("changed", ["", "fernet", "gAAAAA", "\x00"])
def test_what_somebody_changed_is_not_read(changed: str) -> None:
    with pytest.raises(UnreadableSecret):
        decrypted(f"{encrypted(SECRET)[:-20]}{changed}")


@pytest.fixture
def boss(db: None) -> User:
    user = User.objects.create_user("boss")
    second_factor.begin(user)
    return user


def endpoint() -> Document:
    url, types = "https://shop.example.com/", ["order.placed"]
    return managing.create(url, types, user_id=101, description="", by="a test").endpoint


def stored_texts() -> str:
    return f"{list(second_factor.factors().find())} {list(endpoints().find())}"


def in_clear(boss: User) -> tuple[str, str]:
    """Both secrets, stored as before they were encrypted."""
    factor = second_factor.factors().find_one({"_id": boss.pk})
    assert factor is not None
    made = endpoint()
    code, signing = decrypted(factor["secret"]), newest(made["secrets"])
    second_factor.factors().update_one({"_id": boss.pk}, {"$set": {"secret": code}})
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"secrets.0.value": signing}})
    return code, signing


def test_the_database_has_none_in_clear(boss: User) -> None:
    endpoint()

    assert stored_texts().count(PREFIX) == 2
    assert "whsec_" not in stored_texts()


def test_migrate_encrypts_what_was_stored_in_clear(boss: User) -> None:
    code, signing = in_clear(boss)
    step = int(time.time()) // second_factor.STEP_SECONDS
    assert second_factor.verify(boss, second_factor.code_of(code, step - 1))

    call_command("migrate", verbosity=0)

    assert code not in stored_texts()
    assert signing not in stored_texts()
    assert second_factor.verify(boss, second_factor.code_of(code, step))
    (known,) = endpoints().find()
    assert newest(known["secrets"]) == signing


def test_after_the_command_the_key_before_is_not_needed(boss: User, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    signing = newest(endpoint()["secrets"])
    in_clear(boss)
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    call_command("encrypt_secrets", stdout=(said := StringIO()))

    settings.ENCRYPTION_KEYS = [NEW]
    assert "webhook endpoints: 2 encrypted" in said.getvalue()
    assert signing in {newest(each["secrets"]) for each in endpoints().find()}
    assert list(stored_secrets.unreadable()) == []


def test_what_the_first_key_has_encrypted_stays_as_it_is(boss: User, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    endpoint()
    in_clear(boss)
    call_command("encrypt_secrets", stdout=StringIO())
    before = stored_texts()

    call_command("encrypt_secrets", stdout=(said := StringIO()))

    assert "webhook endpoints: 0 encrypted" in said.getvalue()
    assert stored_texts() == before


def test_a_lost_key_is_told_and_changes_nothing(boss: User, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    endpoint()
    settings.SECRET_KEY, settings.ENCRYPTION_KEYS = NEW, []
    before = stored_texts()

    with pytest.raises(CommandError, match="ENCRYPTION_KEYS"):
        call_command("encrypt_secrets", stdout=StringIO())

    assert stored_texts() == before
    assert not second_factor.verify(boss, "000000")
    found = list(doctor.stored())
    assert [each.subject for each in found] == [
        "Secrets of second factors of the staff",
        "Secrets of webhook endpoints",
    ]
    assert all("encrypt_secrets" in each.fix for each in found)
