"""A bad setting stops the start with its name, what is wrong, and an example."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from environs import ValidationError

from ordersite import environment
from ordersite.environment import (
    DECLARED,
    InvalidSetting,
    between,
    currency,
    database_name,
    email_addresses,
    email_sender,
    env,
    file_that_can_be_written,
    host_name,
    host_names,
    not_empty,
    pairs,
    percentage,
    retry_delays,
    setting,
)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "at least one delay"),
        ("5,soon", "value 2: Not a valid number"),
        ("5,0", "0 is not between"),
        ("5,-1", "-1 is not between"),
        ("5,1e9", "is not between"),
    ],
)
def test_bad_retry_delays_are_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    monkeypatch.setenv("RETRY_DELAYS_SECONDS", value)

    with pytest.raises(InvalidSetting) as stopped:
        setting(
            env.list,
            "RETRY_DELAYS_SECONDS",
            subcast=float,
            validate=retry_delays,
            example="5,30",
        )

    message = str(stopped.value)
    assert "RETRY_DELAYS_SECONDS" in message
    assert reason in message
    assert "RETRY_DELAYS_SECONDS=5,30" in message


@pytest.mark.parametrize("value", ["0", "nan", "two", "60.1", "1e300", "inf"])
def test_a_number_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CONFIRM_TIMEOUT_SECONDS", value)

    with pytest.raises(InvalidSetting, match="CONFIRM_TIMEOUT_SECONDS"):
        setting(env.float, "CONFIRM_TIMEOUT_SECONDS", validate=between(0.1, 60), example="5")


def test_every_number_has_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no calendar has room for would fail hours after the start, each time."""
    numbers = [each for each in DECLARED.values() if each.kind in ("int", "float", "decimal")]
    assert len(numbers) > 20

    for each in numbers:
        monkeypatch.setenv(each.name, "9" * 30)
        with pytest.raises(InvalidSetting, match=f"The setting {each.name} is not usable: "):
            runpy.run_path(str(Path(environment.__file__).with_name("settings.py")))
        monkeypatch.delenv(each.name)


#: Of each kind that something of Python fails at in its own way.
HOSTILE = ("x" * 5_000, "9" * 5_000, "https://[", "h:99999", "\x1b[2J")


def test_no_value_of_any_setting_stops_the_start_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(DECLARED) > 60
    for name in DECLARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DJANGO_DEBUG", "true")
    reasons = []

    for name in list(DECLARED):
        for value in HOSTILE:
            monkeypatch.setenv(name, value)
            try:
                runpy.run_path(str(Path(environment.__file__).with_name("settings.py")))
            except InvalidSetting as stopped:
                # Some need others, which are not set.
                wrong, example = str(stopped).split("\n", 1)
                named = wrong.removeprefix("The setting ").partition(" ")[0]
                assert f": {named}=" in example
                assert len(wrong) < 1_100, name
                reasons.append(named)
        monkeypatch.delenv(name)
        monkeypatch.setenv("DJANGO_DEBUG", "true")
    assert len({*reasons}) > 50


@pytest.mark.parametrize("value", ["", "a.b", "a/b", "a b", "a$b", "é", "A" * 64, "admin", "local"])
def test_what_mongodb_can_call_no_database_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        database_name(value)


@pytest.mark.parametrize(
    "value", ["", "a b", "h:25", "ü", "https://h", "h/", ".h", "[::1]", "a..b", "x" * 64]
)
def test_what_is_no_host_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        host_name(value)


def test_a_host_is_a_name_or_an_address() -> None:
    for value in ("localhost", "smtp.example.com", "smtp.example.com.", "127.0.0.1", "::1", "a_b"):
        host_name(value)


@pytest.mark.parametrize(
    "value",
    ["a b", "https://example.com", "example.com/x", "example.com:8000", "[::1", "::1", "ü.example"],
)
def test_a_host_that_no_request_could_name_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match=r"orders\.example\.com"):
        host_names([value])


def test_hosts_as_django_takes_them() -> None:
    host_names(["localhost", "127.0.0.1", "[::1]", ".example.com", "EXAMPLE.com", "*", "web_1"])


@pytest.mark.parametrize(
    "value", ["", "nobody", "a@", "@b", "a@b@c", "a\nb@c", "a@b\nBcc: x@y", "a b@c"]
)
def test_what_is_no_email_address_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        email_sender(value)
    with pytest.raises(ValidationError):
        email_addresses([value])


def test_only_a_sender_has_a_name() -> None:
    email_addresses(["operators@example.com", "root@localhost"])
    email_sender("The shop <orders@example.com>")
    with pytest.raises(ValidationError, match="more than"):
        email_addresses(["The shop <orders@example.com>"])


def test_what_must_be_there_is_not_empty() -> None:
    for value in ("", " ", "\n"):
        with pytest.raises(ValidationError):
            not_empty(value)
    for value in ({}, {"": "viewer"}, {"staff": ""}):
        with pytest.raises(ValidationError):
            pairs(value)
    pairs({"staff": "viewer"})


def test_a_setting_without_default_must_be_there() -> None:
    with pytest.raises(InvalidSetting, match="NOT_SET is not usable: it is missing"):
        setting(env.str, "NOT_SET", example="a-long-random-text")


@pytest.mark.usefixtures("programs")
def test_the_operator_sees_the_message_and_no_traceback() -> None:
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**os.environ, "DELIVERY_LIMIT": "often"},
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 1
    assert "The setting DELIVERY_LIMIT is not usable: Not a valid integer." in checked.stderr
    assert "Traceback" not in checked.stderr


@pytest.mark.parametrize("value", ["-1", "101", "NaN", "19.001", "many"])
def test_a_bad_tax_rate_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TAX_RATE_PERCENT", value)

    with pytest.raises(InvalidSetting, match="TAX_RATE_PERCENT=19"):
        setting(env.decimal, "TAX_RATE_PERCENT", validate=percentage, example="19")


@pytest.mark.parametrize("value", ["", "eur", "EURO", "ABC", "XAU", "978"])
def test_what_is_no_currency_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CURRENCY", value)

    with pytest.raises(InvalidSetting, match="CURRENCY=EUR"):
        setting(env.str, "CURRENCY", validate=currency, example="EUR")


@pytest.mark.usefixtures("programs")
def test_no_process_searches_for_geographic_libraries() -> None:
    """Which would cost each start more than all its other imports."""
    started = (
        "import django, sys; django.setup(); from django.db import connection; "
        "sys.exit('django.contrib.gis' in sys.modules or 'ctypes.util' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", started]).returncode == 0


def test_a_secret_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("A_SECRET_FILE", str(tmp_path / "key"))

    assert setting(env.str, "A_SECRET", example="x") == "from a file"


def test_a_secret_s_file_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("A_SECRET_FILE", str(tmp_path / "missing"))

    with pytest.raises(InvalidSetting, match=r"A_SECRET is not usable: .*A_SECRET_FILE must be"):
        setting(env.str, "A_SECRET", example="x")


def test_a_file_in_a_missing_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEARTBEAT_FILE", str(tmp_path / "missing" / "file"))

    with pytest.raises(InvalidSetting, match=r"HEARTBEAT_FILE is not usable: the folder .*missing"):
        setting(env.str, "HEARTBEAT_FILE", validate=file_that_can_be_written, example="/tmp/x")
