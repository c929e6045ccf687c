"""AMQP_URL: addresses, logins and virtual hosts of every form, and RabbitMQ's own parameters."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from amqp import transport
from kombu import Connection

from localservices.rabbitmq import RabbitMQ
from messaging.adapters import py_amqp
from runtime.broker_url import OF_EACH_HOST, check, parse
from runtime.connecting import BROKER_ERRORS, celery_settings, connect, connection_to
from runtime.rabbitmq_refusals import refused_by_tls
from tests.tls_server import Certificate, TLSServer


@pytest.mark.parametrize(
    ("url", "user", "virtual_host"),
    [
        ("amqp://h", "guest", "/"),
        ("amqp://h/", "guest", "/"),
        ("amqp://h//", "guest", "/"),
        ("amqp://h/%2F", "guest", "/"),
        ("amqp://h/shop", "guest", "shop"),
        ("amqp://h/%2Fshop%3F", "guest", "/shop?"),
        ("amqps://us%40er:p%2Fw%3B@h:5671/v", "us@er", "v"),
        ("amqp://u:p@[::1]:5672/v", "u", "v"),
    ],
)
def test_login_and_virtual_host(url: str, user: str, virtual_host: str) -> None:
    broker = parse(url)

    assert (broker.user, broker.virtual_host) == (user, virtual_host)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must start with amqp://"),
        ("localhost:5672", "must start with amqp://"),
        ("http://h", "must start with amqp://"),
        ("amqp://", "a host"),
        ("amqp://a;", "must start with amqp://"),
        ("amqp://u:p;w@h/", "%3B"),
        ("amqp://u:p#w@h/", "%23"),
        ("amqp://u:p/w@h/", "%2F"),
        ("amqp://h/#v", "%23"),
        ("amqp://h:0/", "5672"),
        ("amqp://h:70000/", "port"),
        ("amqp://[h/", "host or port"),
        ("amqp://h/ ", "blank"),
        ("amqp://h/\n", "line break"),
        ("amqp://u:p%zz@h/", "%25"),
        ("amqp://u:p%ff@h/", "UTF-8"),
        ("amqp://h/?ssl=true", "'ssl' is unknown; known are"),
        ("amqp://h/?connect_timeout=3", "'connect_timeout' is unknown"),
        ("amqp://h/?userid=x", "'userid' is unknown"),
        ("amqp://h/?frame_max=4096", "'frame_max' is unknown"),
        ("amqp://h/?heartbeat", "whole number of seconds"),
        ("amqp://h/?heartbeat=0", "whole number of seconds from 1"),
        ("amqp://h/?heartbeat=1.5", "whole number"),
        ("amqp://h/?heartbeat=%D9%A3", "whole number"),
        ("amqp://h/?heartbeat=1&heartbeat=2", "two values"),
        ("amqp://a/?heartbeat=1;amqp://b/?heartbeat=2", "two values"),
        ("amqp://h/?connection_timeout=999999999999", "milliseconds from 1 to 60000"),
        ("amqp://h/?channel_max=32", "'channel_max' is unknown"),
        ("amqp://h/?auth_mechanism=magic", "PLAIN, AMQPLAIN, EXTERNAL"),
        ("amqp://h/?verify=verify_none", "amqps://"),
        ("amqps://a/?verify=verify_none;amqp://b", "amqps://"),
        ("amqps://h/?verify=yes", "verify_peer or verify_none"),
        ("amqps://h/?cacertfile=", "cacertfile"),
        ("amqps://h/?keyfile=/dev/null", "certfile is missing"),
        ("amqps://h/?server_name_indication=", "server_name_indication"),
        ("amqp://a:p@h/;amqp://b:p@i/", "the same user and path"),
        ("amqp://h/a;amqp://i/b", "the same user and path"),
        ("amqp://rabbit..example.com/", "between its dots"),
        ("amqp://" + "x" * 64, "between its dots"),
        ("amqp://h/%00", "%00"),
        ("amqp://u%00:p@h/", "%00"),
        ("amqp://h/" + "v" * 256, "255 bytes"),
        ("amqp://h/" + "%C3%A9" * 128, "255 bytes"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse(url)

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("cacertfile=/not/there", "cacertfile"),
        ("cacertfile=/", "cacertfile"),
        (f"cacertfile={__file__}", "cacertfile"),
        ("certfile=/not/there", "certfile"),
        (f"certfile={__file__}&keyfile={__file__}", "certfile and keyfile"),
    ],
)
def test_files_are_read_at_the_start_and_may_be_away_later(parameters: str, named: str) -> None:
    """While somebody replaces them a process waits, as for every other reason."""
    with pytest.raises(ValueError, match=named):
        check(f"amqps://h/?{parameters}")

    assert parse(f"amqps://h/?{parameters}").tls


def test_a_connection_whose_certificates_are_away_is_one_that_cannot_be_made(
    server: TLSServer,
) -> None:
    assert isinstance(hand_shake(server, "&cacertfile=/not/there"), BROKER_ERRORS)


def test_no_part_of_a_password_is_repeated() -> None:
    for url in ("amqp://u:topsecret/x@h", "amqp://u:topsecret?x@h", "amqp://u:topsecret;x@h"):
        with pytest.raises(ValueError) as refused:
            parse(url)
        assert "secret" not in str(refused.value)


def test_the_parameters_reach_every_connection() -> None:
    url = "amqp://a/v?heartbeat=7&connection_timeout=2500;amqp://b/v?auth_mechanism=amqplain"

    connection = connection_to(url, within_seconds=1, heartbeat=10)

    assert connection.alt == ["amqp://a/v", "amqp://b/v"]
    assert connection.heartbeat == 7
    assert connection.connect_timeout == 2.5
    assert connection.login_method == "AMQPLAIN"
    assert celery_settings(url) == {
        "broker_url": "amqp://a/v;amqp://b/v",
        "broker_use_ssl": False,
        "broker_login_method": "AMQPLAIN",
        "broker_heartbeat": 7,
        "broker_connection_timeout": 2.5,
    }


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("amqps://u:p@rabbit.example.com//", "rabbit.example.com"),
        ("amqps://u:p@localhost:5671//?verify=verify_peer", "localhost"),
        ("amqps://u:p@[::1]//", "::1"),
        ("amqps://h//?server_name_indication=other", "other"),
        ("amqps://h//?server_name_indication=disable", None),
        ("amqps://h//?verify=verify_none", None),
        # An authority of one's own signs one's own servers alone.
        ("amqps://h//?cacertfile=/dev/null", None),
        ("amqps://a//;amqps://b//", OF_EACH_HOST),
        ("amqps://a//;amqps://b//?server_name_indication=c", "c"),
        ("amqps://a:1//;amqps://a:2//", "a"),
        ("amqp://h//", None),
        ("amqps://h//;amqp://h//", None),
    ],
)
def test_any_authority_of_the_system_signs_for_its_owner_alone(url: str, name: str | None) -> None:
    tls = parse(url).tls or {}

    assert tls.get("server_hostname") == name
    assert celery_settings(url)["broker_use_ssl"] == (tls or False)


def test_who_sends_no_heartbeats_is_not_asked_for_them() -> None:
    """RabbitMQ would take a client for dead that agrees to send them, and does not."""
    assert not connection_to("amqp://h/?heartbeat=7", within_seconds=1).heartbeat


def test_rabbitmq_takes_them(rabbitmq: RabbitMQ) -> None:
    url = f"{rabbitmq.url}?heartbeat=3&connection_timeout=4000&auth_mechanism=amqplain"

    with connection_to(url, within_seconds=1, heartbeat=10) as broker:
        assert connect(broker).connection.heartbeat == 3


@pytest.fixture(scope="module")
def certificate(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.made_for("localhost", tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[TLSServer]:
    """Takes TLS connections, and says whose certificate a client has shown."""
    with TLSServer(certificate) as server:
        yield server


def hand_shake(server: TLSServer, parameters: str) -> Exception:
    """What ends an attempt to talk AMQP to a server that speaks TLS alone."""
    url = f"amqps://127.0.0.1:{server.port}/?connection_timeout=2000{parameters}"
    with connection_to(url, within_seconds=2) as broker, pytest.raises(Exception) as ended:
        connect(broker, reraise_as_library_errors=False)
    return ended.value


def test_a_certificate_of_an_unknown_authority_is_refused(server: TLSServer) -> None:
    assert isinstance(hand_shake(server, ""), ssl.SSLCertVerificationError)


@pytest.mark.parametrize(
    ("parameters", "trusts"),
    [
        ("&cacertfile={ca}", True),
        ("&verify=verify_none", True),
        ("&cacertfile={ca}&server_name_indication=localhost", True),
        ("&cacertfile={ca}&server_name_indication=disable", True),
        ("&cacertfile={ca}&server_name_indication=elsewhere", False),
        ("&cacertfile={ca}&verify=verify_peer", True),
    ],
)
def test_tls_parameters(
    server: TLSServer, certificate: Certificate, parameters: str, trusts: bool
) -> None:
    ended = hand_shake(server, parameters.format(ca=certificate.file))

    assert isinstance(ended, ssl.SSLError) is not trusts
    assert server.hand_shakes == trusts


def test_a_certificate_of_another_name_is_refused_where_the_system_knows_its_authority(
    server: TLSServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))

    refused = hand_shake(server, "")
    assert isinstance(refused, ssl.SSLCertVerificationError)
    assert "IP address mismatch" in str(refused)
    assert not isinstance(hand_shake(server, "&server_name_indication=localhost"), ssl.SSLError)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name stands for this machine."""
    of_this_machine = partial(socket.getaddrinfo, "127.0.0.1")

    def stand_for_this_machine(host: str, *arguments: Any, **named: Any) -> Any:
        return of_this_machine(*arguments, **named)

    monkeypatch.setattr(transport.socket, "getaddrinfo", stand_for_this_machine)


@pytest.mark.usefixtures("names", "programs")
@pytest.mark.parametrize("with_celery", [False, True])
def test_of_several_hosts_each_ones_certificate_has_to_be_its_own(
    with_celery: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert py_amqp.TRIED.is_installed
    certificate = Certificate.made_for("two.example.com", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", certificate.file)
    with TLSServer(certificate) as server:

        def refusals(*names: str) -> list[bool]:
            urls = ";".join(f"amqps://{each}.example.com:{server.port}//" for each in names)
            told = celery_settings(urls)
            broker = (
                Connection(told["broker_url"], ssl=told["broker_use_ssl"], connect_timeout=30)
                if with_celery
                else connection_to(urls, within_seconds=90)
            )
            return [is_refused(broker) for _ in names]

        # In any order, and when kombu comes back to the first.
        assert refusals("one", "two", "three") == [True, False, True]
        assert refusals("two", "one") == [False, True]
        assert server.hand_shakes == 2


def is_refused(broker: Connection) -> bool:
    """Whether the address at hand is; the next one is at hand then."""
    with pytest.raises(OSError) as ended:
        broker.ensure_connection(max_retries=0, reraise_as_library_errors=False)
    broker.maybe_switch_next()
    return isinstance(ended.value, ssl.SSLCertVerificationError)


def test_whose_certificate_it_is_or_who_signed_it_is_told(
    server: TLSServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = hand_shake(server, "")
    other = hand_shake(server, f"&cacertfile={certificate.file}&server_name_indication=elsewhere")

    assert "Name the authority that signed it" in refused_by_tls(unknown)
    assert "is for another name" in refused_by_tls(other)
    assert "server_name_indication=" in refused_by_tls(other)


def test_a_client_shows_its_certificate(server: TLSServer, certificate: Certificate) -> None:
    own = f"&certfile={certificate.file}&keyfile={certificate.key}"

    hand_shake(server, f"&cacertfile={certificate.file}{own}")

    assert server.shown
    assert Path(certificate.key).exists()
