"""Posts to the webhook of the settings, and to nobody that it or its name sends the request to."""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from http.client import HTTPConnection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

ANSWER_SECONDS = 5

Address = IPv4Address | IPv6Address


class NotDelivered(OSError):
    """The webhook did not take it; the text says why."""


class Webhook(HTTPConnection):
    """A connection to an address that was checked, so that a name cannot change in between."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotDelivered(f"{parts.scheme or 'nothing'} is neither http nor https")
        self._has_tls = parts.scheme == "https"
        self.default_port = 443 if self._has_tls else 80
        super().__init__(parts.hostname, parts.port or self.default_port, timeout=ANSWER_SECONDS)
        self._target = parts.path or "/"
        if parts.query:
            self._target += f"?{parts.query}"

    def connect(self) -> None:
        address = self._address()
        self.sock = socket.create_connection((address, self.port), ANSWER_SECONDS)
        if self._has_tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def post(self, body: bytes) -> None:
        """Raises NotDelivered, OSError or http.client.HTTPException: it was not taken."""
        try:
            self.request("POST", self._target, body, {"Content-Type": "application/json"})
            status = self.getresponse().status
        finally:
            self.close()
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise NotDelivered(f"it answered {status}; redirects are not followed")
        if status >= HTTPStatus.BAD_REQUEST:
            raise NotDelivered(f"it answered {status}")

    def _address(self) -> str:
        """Raises NotDelivered: its name stands for what is no webhook's address."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
        for address in addresses:
            if reason := fault_of(address, self.host):
                raise NotDelivered(f"{self.host} is {address}, {reason}")
        return str(addresses[0])


def post(url: str, body: bytes) -> None:
    """Raises NotDelivered, OSError or http.client.HTTPException: it was not taken."""
    Webhook(url).post(body)


def fault_of(address: Address, host: str) -> str:
    """Why nobody has a webhook there; empty where somebody may.

    Private networks have webhooks, and so has this machine if the setting says so itself.
    """
    plain = getattr(address, "ipv4_mapped", None) or address
    if plain.is_loopback:
        return "" if is_this_machine(host) else "this machine, which the setting does not name"
    if plain.is_link_local:
        return "where a cloud keeps the machine's credentials"
    if plain.is_multicast or plain.is_unspecified or plain.is_reserved:
        return "which is nobody's address"
    return ""


def is_this_machine(host: str) -> bool:
    """Whether a person who wrote the host meant the machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
