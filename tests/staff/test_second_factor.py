"""Local logins may need a code of six digits, which works once and is not guessed."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory, override_settings

from failed_messages.models import AuditEntry
from ordersite.staff import second_factor
from ordersite.staff.basic_login import verified_user
from ordersite.staff.second_factor import STEP_SECONDS, code_of
from runtime.json_lines import JsonLines
from runtime.stored_secret import decrypted
from tests.concurrency import at_once
from tests.security.routes import routes

PASSWORD = "right-and-long-enough"


@pytest.fixture
def user(clean: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


@pytest.fixture
def decisions(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the log of decisions says."""
    logger = logging.getLogger("decisions")
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO, logger="decisions")
    written = JsonLines().format
    yield lambda: [json.loads(written(each)) for each in caplog.records if each.name == "decisions"]
    logger.removeHandler(caplog.handler)


def secret_of(user: User) -> str:
    return decrypted(stored(user))


def stored(user: User) -> str:
    return connection.database["staff_second_factors"].find_one({"_id": user.pk})["secret"]


def code(user: User, later: int = 0) -> str:
    return code_of(secret_of(user), int(time.time()) // STEP_SECONDS + later)


def set_up(user: User) -> None:
    second_factor.begin(user)
    assert second_factor.confirm(user, code(user, -1))


def log_in(**form: str) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD, **form})
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


def test_who_was_in_with_the_password_alone_is_out_once_a_login_needs_a_code(user: User) -> None:
    strangers, own = log_in(), log_in()
    other = Client(SERVER_NAME="localhost")
    other.force_login(User.objects.create_superuser("ben", password=PASSWORD))
    assert is_in(strangers)
    own.post("/admin/second-factor/", {"what": "begin"})

    own.post("/admin/second-factor/", {"what": "confirm", "code": code(user)})

    assert second_factor.is_set_up(user)
    assert [is_in(each) for each in (strangers, own, other)] == [False, True, True]
    assert strangers.get("/failed-messages").status_code == 401


@pytest.mark.parametrize(
    ("at_seconds", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_the_standard(at_seconds: int, expected: str) -> None:
    # https://www.rfc-editor.org/rfc/rfc6238#appendix-B, whose codes of eight digits end so.
    secret = base64.b32encode(b"12345678901234567890").decode()

    assert code_of(secret, at_seconds // STEP_SECONDS) == expected


def test_a_login_needs_the_code_once_it_is_set_up(user: User) -> None:
    assert is_in(log_in())
    set_up(user)

    assert not is_in(log_in())
    assert not is_in(log_in(code="000000"))
    now = code(user)
    assert is_in(log_in(code=now))
    assert not is_in(log_in(code=now)), "it was used"


def wait(minutes: int) -> None:
    """The last wrong code was so long ago."""
    ago = {"$dateSubtract": {"startDate": "$wrong_at", "unit": "minute", "amount": minutes}}
    connection.database["staff_second_factors"].update_many({}, [{"$set": {"wrong_at": ago}}])


def guess(user: User, times: int = 1) -> None:
    for _ in range(times):
        assert not second_factor.verify(user, "000000")


def test_codes_are_not_guessed(user: User) -> None:
    set_up(user)
    guess(user, second_factor.WRONG_CODES)

    assert not second_factor.verify(user, code(user))
    wait(minutes=6)
    assert timedelta(minutes=6) > second_factor.LOCKED_FOR
    assert second_factor.verify(user, code(user))


def test_who_goes_on_guessing_waits_twice_as_long_each_time_up_to_a_day(user: User) -> None:
    set_up(user)
    guess(user, second_factor.WRONG_CODES)
    for minutes in (5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440):
        wait(minutes - 1)
        assert not second_factor.verify(user, code(user)), minutes
        wait(minutes=2)
        guess(user)

    wait(minutes=1_441)
    assert second_factor.verify(user, code(user)), "the owner still gets in"
    guess(user, second_factor.WRONG_CODES - 1)
    assert second_factor.verify(user, code(user, 1)), "a right code ends all of it"


def test_of_codes_sent_at_one_moment_each_counts_before_it_is_tried(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(user)
    tried = []
    check = second_factor._matching_step

    def counted(secret: str, code: str) -> int | None:
        tried.append(code)
        return check(secret, code)

    monkeypatch.setattr(second_factor, "_matching_step", counted)
    at_once([lambda: second_factor.verify(user, "000000")] * 20)

    assert len(tried) <= second_factor.WRONG_CODES


def test_a_lock_is_in_the_audit_log_and_in_the_log_of_decisions(
    user: User, decisions: Callable[[], list[dict[str, Any]]]
) -> None:
    set_up(user)
    guess(user, second_factor.WRONG_CODES + 1)
    wait(minutes=6)
    guess(user)

    entries = AuditEntry.objects.filter(act="lock").order_by("at")
    assert [(each.subject, each.subject_id, each.by) for each in entries] == [
        ("user", "boss", "boss")
    ] * 2
    assert [json.loads(each.after)["minutes"] for each in entries] == [5, 10]
    told = [each for each in decisions() if each["event.action"] == "lock_second_factor"]
    assert [each["user.name"] for each in told] == ["boss"] * 2
    assert "for 10 minutes" in told[1]["event.reason"]


def test_what_was_not_confirmed_does_not_count(user: User) -> None:
    second_factor.begin(user)
    assert not second_factor.confirm(user, "123")
    assert is_in(log_in())


def test_a_second_secret_needs_the_first_one_removed(user: User) -> None:
    set_up(user)
    before = stored(user)
    with pytest.raises(Exception, match="duplicate"):
        second_factor.begin(user)
    assert stored(user) == before


def test_on_its_page_a_user_sets_it_up_and_removes_it(user: User) -> None:
    client = log_in()
    page = client.post("/admin/second-factor/", {"what": "begin"}).content.decode()
    assert secret_of(user) in page
    told = client.post(
        "/admin/second-factor/", {"what": "confirm", "code": code(user, -1)}, follow=True
    )
    assert "From now on a login needs a code" in told.content.decode()
    assert "Your logins need a code" in client.get("/admin/second-factor/").content.decode()
    client.post("/admin/second-factor/", {"what": "remove", "code": "000000"})
    assert second_factor.is_set_up(user)
    client.post("/admin/second-factor/", {"what": "remove", "code": code(user)})
    assert not second_factor.is_set_up(user)


def test_a_lost_phone_is_removed_on_the_command_line(user: User) -> None:
    set_up(user)
    call_command("remove_second_factor", "boss")

    assert is_in(log_in())


def test_a_program_with_the_password_of_such_a_user_gets_nothing(user: User) -> None:
    request = RequestFactory(SERVER_NAME="localhost").get("/failed-messages")
    set_up(user)

    assert verified_user(request, "boss", PASSWORD) is None


def test_who_sets_it_up_can_no_longer_send_the_password_alone_from_then_on(user: User) -> None:
    request = RequestFactory(SERVER_NAME="localhost").get("/failed-messages")
    assert verified_user(request, "boss", PASSWORD) == user
    set_up(user)

    assert verified_user(request, "boss", PASSWORD) is None


@override_settings(SECOND_FACTOR_REQUIRED=True)
@pytest.mark.parametrize("is_open", [True, False])
def test_where_it_is_required_the_api_is_not_open_with_a_password_alone(
    user: User, is_open: bool
) -> None:
    client = log_in()
    basic = base64.b64encode(f"boss:{PASSWORD}".encode()).decode()
    program = Client(SERVER_NAME="localhost", headers={"authorization": f"Basic {basic}"})
    with override_settings(API_IS_OPEN=is_open):
        for route in (each for each in routes() if each.method == "GET"):
            refused = client.get(route.path)
            assert refused.status_code == 403, route
            assert "/admin/second-factor/" in refused.json()["detail"]
        assert program.get("/failed-messages").status_code == 401

        set_up(user)
        assert client.get("/failed-messages").status_code == 200


@override_settings(SECOND_FACTOR_REQUIRED=True)
def test_where_it_is_required_nothing_is_seen_before(user: User) -> None:
    client = log_in()

    assert client.get("/admin/orders/order/")["Location"] == "/admin/second-factor/"
    assert client.get("/admin/second-factor/").status_code == 200
    set_up(user)
    assert client.get("/admin/orders/order/").status_code == 200
