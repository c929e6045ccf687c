"""A URL that cannot work stops the start with its setting's name, the reason and an example."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from bson.codec_options import DatetimeConversion
from django.conf import settings
from environs import ValidationError
from pymongo import MongoClient, ReadPreference

from ordersite import mongodb_url
from ordersite.urls_in_settings import management_url, url_without_query, web_url


def started_with(**environment: str) -> str:
    """What Django's start says in this environment; empty where it starts."""
    started = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return started.stderr if started.returncode else ""


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AMQP_URL", "amqp://h/?connect_timeout=3", "parameter 'connect_timeout' is unknown"),
        ("AMQP_URL", "amqp://u:p/w@h", "write / as %2F"),
        ("AMQP_URL", f"amqps://h/?cacertfile={__file__}", "cacertfile can't be read"),
        ("MONGODB_URL", "mongodb://h/?maxPoolsSize=3", "Unknown option"),
        ("SITE_URL", "localhost:8000", "starts with https://"),
        ("SITE_URL", "https://münchen.example", "not a host's name"),
        ("ALERT_WEBHOOK_URL", "https://h:port/", "host or port can't be read"),
        ("RABBITMQ_MANAGEMENT_URL", "http://guest:guest@h:15672", "has a login"),
    ],
)
def test_the_operator_sees_name_reason_and_example(name: str, value: str, reason: str) -> None:
    said = started_with(**{name: value})

    assert f"The setting {name} is not usable: " in said
    assert reason in said
    assert f"for example: {name}=" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("programs")
def test_settings_that_are_empty_by_default_may_be_set_to_that() -> None:
    assert started_with(ALERT_WEBHOOK_URL="", RABBITMQ_MANAGEMENT_URL="") == ""


@pytest.mark.parametrize(
    "value",
    [
        "ftp://h",
        "https://",
        "https:///path",
        "https://h:0",
        "https://h:99999",
        "https://[h",
        "https://login..example.com/",
        f"https://{'x' * 64}.example.com",
        "https://h/ path",
        "https://h/\n",
        "https://u:p@h",
        "https://h/#top",
    ],
)
def test_a_url_that_nobody_can_ask_is_refused(value: str) -> None:
    for validate in (web_url, url_without_query, management_url):
        with pytest.raises(ValidationError):
            validate(value)


def test_only_a_webhook_has_a_query() -> None:
    web_url("https://chat.example.com/hook?key=1")
    for validate in (url_without_query, management_url):
        with pytest.raises(ValidationError, match="query"):
            validate("https://h/?key=1")


def test_the_management_url_is_the_pages() -> None:
    management_url("https://h:15671/rabbitmq")
    with pytest.raises(ValidationError, match="without /api"):
        management_url("http://h:15672/api/")


@pytest.mark.parametrize(
    "value",
    [
        "mongodb://",
        "mongodb://h/?maxPoolSize=many",
        "mongodb://h/?minPoolSize=500",
        "mongodb://h/?readPreference=nearby",
        "mongodb://h:99999/",
        "mongodb://u:p@ss@h/",
        "mongodb://u@h/",
        "mongodb://a,b/?directConnection=true",
        "mongodb://h/?tls=true&tlsCAFile=/not/there.pem",
        "mongodb://h/?authMechanism=SECRET",
        "mongodb://h/?w=1&w=2",
        "mongodb://h/\n",
        "mongodb://u:p@one,two..example.com:27017/?replicaSet=rs0",
        "mongodb://h/?datetime_conversion=datetime_ms",
        "mongodb://h/?readConcernLevel=banana",
        "mongodb://h/?readConcernLevel=available",
        "mongodb+srv://h:1/",
        "http://h/",
        "localhost:27017",
    ],
)
def test_what_pymongo_cannot_work_with_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        mongodb_url.check(value)


def test_no_name_is_resolved_at_the_start() -> None:
    mongodb_url.check("mongodb+srv://not-there.invalid/")


def test_a_password_is_not_repeated() -> None:
    for url in ("mongodb://user:topsecret/word@h/", "mongodb://user:topsecret@word@h/"):
        with pytest.raises(ValueError) as refused:
            mongodb_url.check(url)
        assert "secret" not in str(refused.value)


def test_the_url_may_change_the_pool_but_no_guarantee() -> None:
    """As docs/limits.md says of maxPoolSize."""
    weaker = "w=1&journal=false&retryWrites=false&readPreference=secondary&tz_aware=true"
    url = f"mongodb://h/?maxpoolsize=7&appname=relay&{weaker}&datetime_conversion=DATETIME_MS"

    client = MongoClient(url, connect=False, **mongodb_url.options(url))  # type: ignore[var-annotated]

    assert client.options.pool_options.max_pool_size == 7
    assert client.options.pool_options.appname == "relay"
    assert client.options.write_concern.document == {"w": "majority", "j": True}
    assert client.read_preference == ReadPreference.PRIMARY
    assert not client.codec_options.tz_aware
    assert client.codec_options.datetime_conversion == DatetimeConversion.DATETIME_CLAMP
    assert client.options.retry_writes
    client.close()


def test_the_sites_own_database_has_these_options() -> None:
    assert settings.DATABASES["default"]["OPTIONS"] == mongodb_url.options(settings.MONGODB_URL)
