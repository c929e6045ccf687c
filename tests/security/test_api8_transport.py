"""API8, misconfiguration: passwords and orders do not travel in the clear."""

from __future__ import annotations

from typing import Any

import certifi
import pytest
from django.test import override_settings

from ordersite.transport_checks import check_transport

SAFE = {
    "DEBUG": False,
    "AMQP_URL": "amqps://a:b@one;amqps://a:b@two",
    "MONGODB_URL": "mongodb://a:b@one,two/?tls=true",
    "RABBITMQ_MANAGEMENT_URL": "https://one",
}


def errors(**changed: Any) -> list[str]:
    with override_settings(**{**SAFE, **changed}):
        return [each.msg for each in check_transport()]


@pytest.mark.parametrize(
    ("name", "url", "hosts"),
    [
        ("AMQP_URL", "amqp://a:b@rabbit//", ["rabbit"]),
        ("AMQP_URL", "amqps://a:b@one;amqp://a:b@two;amqp://a:b@10.0.0.1", ["10.0.0.1", "two"]),
        ("AMQP_URL", "amqp://a:b@localhost.example.com//", ["localhost.example.com"]),
        ("MONGODB_URL", "mongodb://a:b@one:27017,localhost:27018/", ["one"]),
        ("MONGODB_URL", "mongodb://a:b@one/?tls=false", ["one"]),
        ("MONGODB_URL", "mongodb+srv://a:b@one/?ssl=false", ["one"]),
        ("MONGODB_URL", "mongodb://a:b@[2001:db8::1]/", ["2001:db8::1"]),
        ("RABBITMQ_MANAGEMENT_URL", "http://rabbit:15672", ["rabbit"]),
    ],
)
def test_another_host_without_tls_is_an_error(name: str, url: str, hosts: list[str]) -> None:
    told = {each.partition(" without TLS")[0] for each in errors(**{name: url})}

    assert told == {f"{name} reaches {host}" for host in hosts}


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("AMQP_URL", "amqp://a:b@localhost;amqp://a:b@127.0.0.1;amqp://a:b@[::1]"),
        ("MONGODB_URL", "mongodb://a:b@localhost,127.0.0.2,[::1]/"),
        ("MONGODB_URL", "mongodb://a:b@%2Ftmp%2Fmongodb-27017.sock/"),
        ("MONGODB_URL", "mongodb+srv://a:b@cluster.example.com/"),
        ("MONGODB_URL", "mongodb://a:b@one/?ssl=true"),
        ("AMQP_URL", f"amqps://a:b@one/?cacertfile={certifi.where()}&server_name_indication=one"),
        ("RABBITMQ_MANAGEMENT_URL", ""),
    ],
)
def test_this_machine_and_tls_are_fine(name: str, url: str) -> None:
    assert errors(**{name: url}) == []


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("AMQP_URL", "amqps://a:b@one/?verify=verify_none"),
        ("AMQP_URL", "amqps://a:b@one/;amqps://a:b@two/?verify=verify_none"),
        ("AMQP_URL", f"amqps://a:b@one/?cacertfile={certifi.where()}"),
        ("MONGODB_URL", "mongodb://a:b@one/?tls=true&tlsAllowInvalidCertificates=true"),
        ("MONGODB_URL", "mongodb://a:b@one/?tls=true&tlsAllowInvalidHostnames=true"),
        ("MONGODB_URL", "mongodb+srv://a:b@one/?tlsinsecure=True"),
    ],
)
def test_tls_with_whoever_answers_is_an_error(name: str, url: str) -> None:
    [told] = {each.partition(":")[0] for each in errors(**{name: url})}

    assert told == f"{name} takes any certificate"


def test_a_login_of_the_mail_server_in_the_clear_is_an_error() -> None:
    mail = {"EMAIL_HOST": "smtp.example.com", "EMAIL_HOST_USER": "orders"}

    assert [each.split(" without")[0] for each in errors(**mail)] == [
        "EMAIL_HOST reaches smtp.example.com"
    ]
    assert errors(**mail, EMAIL_USE_TLS=True) == []
    assert errors(**{**mail, "EMAIL_HOST": "localhost"}) == []
    assert errors(**{**mail, "EMAIL_HOST_USER": ""}) == []


def test_in_development_nothing_is_asked() -> None:
    with override_settings(DEBUG=True, AMQP_URL="amqp://a:b@rabbit//"):
        assert check_transport() == []
