"""Logins of the admin end by MongoDB's clock, not by one machine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from ordersite.staff.session_store import SessionStore

pytestmark = pytest.mark.usefixtures("clean")


def test_a_machine_that_is_a_day_ahead_ends_nobody_s_login(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("boss"))
    ahead = datetime.now(UTC) + timedelta(hours=25)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    SessionStore.clear_expired()

    assert client.get("/admin/password_change/").status_code == 200


def test_a_login_that_is_over_is_deleted() -> None:
    over = SessionStore()
    over.set_expiry(timedelta(seconds=-1))
    over.create()
    lasts = SessionStore()
    lasts.create()

    SessionStore.clear_expired()

    assert not over.exists(str(over.session_key))
    assert lasts.exists(str(lasts.session_key))
