"""API8: outside of development the site starts safely or not at all; its answers are careful."""

from __future__ import annotations

import os
import subprocess
import sys
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.test import Client, override_settings
from environs import ValidationError

from ordersite import production_checks
from ordersite.web.site_address import header_name, proxy_ssl_header
from ordersite.wsgi import application
from tests.processes import ROOT

KEY = "".join(chr(ord("a") + number % 26) for number in range(60))

#: What the README tells to set, and nothing else.
SHIPPED = {
    "DJANGO_SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "orders.example.com",
    "SITE_URL": "https://orders.example.com",
    "MONGODB_URL": "mongodb://orders:secret@mongodb.example.com/?replicaSet=rs0&tls=true",
    "AMQP_URL": "amqps://orders:secret@rabbitmq.example.com//",
}

#: With a provider that the staff log in at.
PROVIDER = {
    "OIDC_ISSUER": "https://login.example.com",
    "OIDC_CLIENT_ID": "ordersite",
    "OIDC_CLIENT_SECRET": "secret",
    "OIDC_AUTHORIZATION_URL": "https://login.example.com/authorize",
    "OIDC_TOKEN_URL": "https://login.example.com/token",
    "OIDC_JWKS_URL": "https://login.example.com/keys",
    "OIDC_ROLES": "it=administrator",
}


def manage(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """A command in an environment that has nothing but those settings."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_DEBUG": "false", **SHIPPED, **changed},
        capture_output=True,
        text=True,
    )


@pytest.mark.usefixtures("programs")
def test_the_shipped_settings_have_no_warning_of_the_deploy_check() -> None:
    checked = manage("check", "--deploy", "--fail-level", "WARNING")

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DJANGO_SECRET_KEY", production_checks.KNOWN_KEY, "it is public"),
        ("ALLOWED_HOSTS", "*", "is every host"),
        ("AMQP_URL", "amqp://guest:guest@localhost:5672//", "is guest"),
        ("MONGODB_URL", "mongodb://localhost:27017/?replicaSet=rs0", "has no login"),
        *(
            (name, f"http://login.example.com/{name}", "must start with https://")
            for name in ("OIDC_AUTHORIZATION_URL", "OIDC_TOKEN_URL", "OIDC_JWKS_URL")
        ),
    ],
)
def test_an_unsafe_setting_stops_the_start_by_name(name: str, value: str, reason: str) -> None:
    started = manage("check", **{**(PROVIDER if name.startswith("OIDC_") else {}), name: value})

    assert started.returncode != 0
    assert f"The setting {name} is not usable: " in started.stderr
    assert reason in started.stderr
    assert f"for example: {name}=" in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 49, "x" * 80, "django-insecure-" + KEY, production_checks.KNOWN_KEY]
)
def test_a_key_that_can_be_known_or_guessed_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        production_checks.secret_key(key)


@pytest.mark.parametrize(
    "hosts", [["*"], ["orders.example.com", "*"], [" * "], ["."], [""], [], ["*.example.com"]]
)
def test_hosts_that_are_everybodys_are_refused(hosts: list[str]) -> None:
    with pytest.raises(ValidationError):
        production_checks.hosts(hosts)


@pytest.mark.parametrize(
    "url",
    [
        "amqp://guest:guest@localhost//",
        "amqp://guest:changed@rabbitmq.example.com//",
        "amqp://%67uest:guest@h//",
        "amqp://h//",
        "amqp://orders@h//",
        "amqp://orders:@h//",
        "amqp://orders:secret@a//;amqp://orders:@b//",
        "amqp://ordersite-web:known-to-all@rabbitmq//",
        "amqp://orders:secret@a//;amqp://orders:known%2Dto%2Dall@b//",
    ],
)
def test_a_login_of_rabbitmq_that_everybody_has_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        production_checks.broker_login(url)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://localhost:27017/?directConnection=true",
        "mongodb://a,b,c/?replicaSet=rs0",
        "mongodb+srv://cluster.example.com/",
        "mongodb://orders@h/",
        "mongodb://orders:@h/",
        "mongodb://:secret@h/",
        "mongodb://ordersite-web:known-to-all@mongodb/?replicaSet=rs0",
    ],
)
def test_a_database_without_login_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        production_checks.mongodb_login(url)


@pytest.mark.parametrize(
    "url", ["amqps://h//?auth_mechanism=EXTERNAL", "amqp://orders:secret@a//;amqp://orders:s@b//"]
)
def test_a_login_of_rabbitmq_that_is_the_sites_own_is_taken(url: str) -> None:
    production_checks.broker_login(url)


@pytest.mark.parametrize(
    "url",
    ["mongodb://orders:secret@a,b/?replicaSet=rs0", "mongodb://h/?authMechanism=MONGODB-X509"],
)
def test_a_login_of_mongodb_that_is_the_sites_own_is_taken(url: str) -> None:
    production_checks.mongodb_login(url)


def test_the_logins_of_the_repository_are_those_that_are_refused() -> None:
    files = [*(ROOT / "deploy/compose").glob("*.env")]
    urls = [line.partition("=")[2] for file in files for line in file.read_text().splitlines()]
    assert len(urls) >= len(files) > 0

    for url in urls:
        with pytest.raises(ValidationError, match="public"):
            (
                production_checks.broker_login
                if url.startswith("amqp")
                else production_checks.mongodb_login
            )(url)


def test_every_answer_tells_the_browser_what_to_keep_to() -> None:
    for path in ("/admin/login/", "/health/live", "/nothing-here"):
        with override_settings(DEBUG=False, SECURE_HSTS_SECONDS=60):
            answer = Client(SERVER_NAME="localhost").get(path)

        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer["Strict-Transport-Security"] == "max-age=60; includeSubDomains"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"


def answered(**environ: str) -> tuple[str, bytes]:
    """What the site itself, as any server calls it, answers."""
    environ = {"PATH_INFO": "/admin/login/", **environ}
    setup_testing_defaults(environ)
    if not environ["HTTP_HOST"]:
        del environ["HTTP_HOST"]
    said: dict[str, str] = {}
    body = application(environ, lambda status, headers: said.update(status=status))
    return said["status"], b"".join(body)


@pytest.mark.usefixtures("clean")
def test_a_request_that_names_no_host_is_refused_though_the_server_has_a_name() -> None:
    status, body = answered(HTTP_HOST="", SERVER_NAME="localhost")

    assert status.startswith("400")
    assert b'"field": "Host"' in body
    assert answered(HTTP_HOST="localhost")[0].startswith("200")


@override_settings(DEBUG=False)
@pytest.mark.usefixtures("clean")
def test_a_host_that_is_not_the_sites_is_refused() -> None:
    assert answered(HTTP_HOST="elsewhere.example")[0].startswith("400")


def test_https_behind_a_proxy_is_believed_by_one_header_that_a_setting_names() -> None:
    assert settings.SECURE_PROXY_SSL_HEADER is None
    assert proxy_ssl_header("X-Forwarded-Proto") == ("HTTP_X_FORWARDED_PROTO", "https")
    with pytest.raises(ValidationError):
        header_name("X-Forwarded-Proto: https")
