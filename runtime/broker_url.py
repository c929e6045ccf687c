"""AMQP_URL: where RabbitMQ is, and what its parameters ask of a connection.

The parameters are those of RabbitMQ's own URIs, as far as py-amqp can do what they say:
https://www.rabbitmq.com/docs/uri-query-parameters
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from runtime.url_text import check_characters, check_host

#: Between the addresses of a cluster's nodes.
SEPARATOR = ";"

ENCODE = "In a login or a virtual host write / as %2F, ? as %3F, # as %23, @ as %40, ; as %3B."
BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

LONGEST_VIRTUAL_HOST_BYTES = 255
LONGEST_HEARTBEAT_SECONDS = 3_600
LONGEST_CONNECTING_MILLISECONDS = 60_000

MECHANISMS = ("PLAIN", "AMQPLAIN", "EXTERNAL")
VERIFICATIONS = {"verify_peer": ssl.CERT_REQUIRED, "verify_none": ssl.CERT_NONE}
#: As py-amqp calls them.
TLS_FILES = {"cacertfile": "ca_certs", "certfile": "certfile", "keyfile": "keyfile"}
#: So that OpenSSL asks nobody at the terminal.
NO_PASSWORD = ""
#: Asked for where each of several addresses has a name of its own: the adapter of py-amqp puts that
#: in its place. Nothing has this one (RFC 2606), so that without the adapter all are refused.
OF_EACH_HOST = "the-host-of-each-address.invalid"
TLS = {*TLS_FILES, "verify", "server_name_indication"}


class BrokerUrl(NamedTuple):
    """What AMQP_URL says."""

    #: Without the parameters, as kombu takes them.
    addresses: str
    #: Empty where a client's certificate says it and the URL does not.
    user: str
    virtual_host: str
    heartbeat_seconds: int | None
    #: For one address.
    connect_seconds: float | None
    login_method: str | None
    #: What py-amqp is to do about TLS; None where an address has none.
    tls: dict[str, Any] | None


def parse(url: str) -> BrokerUrl:
    """Read the setting; the parameters of all addresses count for each of them.

    Raises:
        ValueError: what is wrong with it, for the operator.
    """
    parts = [_address(each) for each in url.split(SEPARATOR)]
    given = _parameters(parts)
    tls = {name: value for name, value in given.items() if name in TLS}
    if tls and any(each.scheme != "amqps" for each in parts):
        raise ValueError(f"{min(tls)} is about TLS, so each address must start with amqps://.")
    first = parts[0]
    if any((each.username, each.path) != (first.username, first.path) for each in parts):
        raise ValueError("its addresses are of one cluster: give each the same user and path.")
    connect_milliseconds = given.get("connection_timeout")
    method = given.get("auth_mechanism")
    return BrokerUrl(
        addresses=SEPARATOR.join(each._replace(query="").geturl() for each in parts),
        user=unquote(first.username or ("" if method == "EXTERNAL" else "guest")),
        virtual_host=unquote(first.path.removeprefix("/")) or "/",
        heartbeat_seconds=given.get("heartbeat"),
        connect_seconds=connect_milliseconds and connect_milliseconds / 1_000,
        login_method=method,
        tls=_tls(tls, parts) if all(each.scheme == "amqps" for each in parts) else None,
    )


def check(url: str) -> None:
    """Read the setting, and the files that it names, at the start: later a connection reads them,
    and waits while one is replaced.

    Raises:
        ValueError: what is wrong with it, for the operator.
    """
    files = parse(url).tls or {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "ca_certs" in files:
            context.load_verify_locations(files["ca_certs"])
    except (OSError, ValueError) as error:
        raise ValueError(f"cacertfile can't be read as certificates in PEM: {error}.") from error
    try:
        if "certfile" in files:
            context.load_cert_chain(files["certfile"], files.get("keyfile"), NO_PASSWORD)
    except (OSError, ValueError) as error:
        raise ValueError(
            "certfile and keyfile can't be read as a certificate in PEM and its key, without a "
            f"password: {error}."
        ) from error


def _address(url: str) -> SplitResult:
    check_characters(url)
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        # Its words would repeat a part of the password.
        raise ValueError(f"its host or port can't be read. {ENCODE}") from None
    if parts.scheme not in ("amqp", "amqps") or not host:
        raise ValueError(
            f"each address must start with amqp:// or amqps:// and a host; {SEPARATOR!r} separates "
            f"two. {ENCODE}"
        )
    check_host(host)
    if parts.fragment or "#" in url:
        raise ValueError(f"it has a #. {ENCODE}")
    if port == 0:
        raise ValueError("its port is 0; RabbitMQ's is 5672, and 5671 with TLS.")
    _check_escapes(f"{parts.netloc}{parts.path}")
    if len(unquote(parts.path.removeprefix("/")).encode()) > LONGEST_VIRTUAL_HOST_BYTES:
        raise ValueError(f"its virtual host has more than {LONGEST_VIRTUAL_HOST_BYTES} bytes.")
    return parts


def _check_escapes(text: str) -> None:
    if BROKEN_ESCAPE.search(text):
        raise ValueError(
            "a % in it is not followed by two hexadecimal digits. Write a % itself as %25."
        )
    if "%00" in text:
        raise ValueError("it has a %00, which stands for no character of a login or virtual host.")
    try:
        unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("what its %-escapes stand for is not UTF-8.") from error


def _parameters(parts: list[SplitResult]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for part in parts:
        for name, text in parse_qsl(part.query, keep_blank_values=True):
            if name not in PARAMETERS:
                raise ValueError(f"its parameter {name!r} is unknown; known are {KNOWN}.")
            value = PARAMETERS[name](name, text)
            if given.setdefault(name, value) != value:
                raise ValueError(f"its parameter {name} has two values; give one for all.")
    return given


def _tls(given: dict[str, Any], parts: list[SplitResult]) -> dict[str, Any]:
    if "keyfile" in given and "certfile" not in given:
        raise ValueError("keyfile is the key of a certificate: certfile is missing.")
    verification = given.get("verify", ssl.CERT_REQUIRED)
    name = given.get("server_name_indication")
    if name is None and verification and "cacertfile" not in given:
        name = _name_of_all(parts)
    checked = {"server_hostname": name} if name and name != "disable" else {}
    files = {theirs: given[ours] for ours, theirs in TLS_FILES.items() if ours in given}
    return {**files, **checked, "cert_reqs": verification}


def _name_of_all(parts: list[SplitResult]) -> str | None:
    """The host: the system's authorities sign for anybody, each for their name."""
    hosts = {each.hostname for each in parts}
    return hosts.pop() if len(hosts) == 1 else OF_EACH_HOST


def _whole(least: int, most: int, unit: str) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        # isdecimal alone would take digits of other scripts.
        if not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most):
            raise ValueError(
                f"its parameter {name} is {text[:40]!r}; write a whole number of {unit} "
                f"from {least} to {most}."
            )
        return int(text)

    return read


def _verification(name: str, text: str) -> ssl.VerifyMode:
    if text not in VERIFICATIONS:
        raise ValueError(f"its parameter {name} must be verify_peer or verify_none.")
    return VERIFICATIONS[text]


def _mechanism(name: str, text: str) -> str:
    if text.upper() not in MECHANISMS:
        raise ValueError(f"its parameter {name} is {text[:40]!r}; write {', '.join(MECHANISMS)}.")
    return text.upper()


def _name(name: str, text: str) -> str:
    if not text:
        raise ValueError(f"its parameter {name} is empty; leave it out, or write what it is.")
    return text


PARAMETERS: dict[str, Callable[[str, str], Any]] = {
    "auth_mechanism": _mechanism,
    "cacertfile": _name,
    "certfile": _name,
    "connection_timeout": _whole(1, LONGEST_CONNECTING_MILLISECONDS, "milliseconds"),
    "heartbeat": _whole(1, LONGEST_HEARTBEAT_SECONDS, "seconds"),
    "keyfile": _name,
    "server_name_indication": _name,
    "verify": _verification,
}
KNOWN = ", ".join(PARAMETERS)
