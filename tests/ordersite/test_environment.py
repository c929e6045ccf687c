"""A bad setting stops the start with its name, what is wrong, and an example."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ordersite.environment import (
    InvalidSetting,
    at_least,
    currency,
    env,
    file_that_can_be_written,
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


@pytest.mark.parametrize("value", ["0", "nan", "two"])
def test_a_number_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CONFIRM_TIMEOUT_SECONDS", value)

    with pytest.raises(InvalidSetting, match="CONFIRM_TIMEOUT_SECONDS"):
        setting(env.float, "CONFIRM_TIMEOUT_SECONDS", validate=at_least(0.1), example="5")


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
