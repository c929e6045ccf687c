"""Posts to the webhook of the settings, and to nobody that it or its name sends the request to."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address

from runtime.address_kinds import Address, has_credentials, inner
from runtime.checked_connection import CheckedConnection

ANSWER_SECONDS = 5


class NotDelivered(OSError):
    """The webhook did not take it; the text says why."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Raises NotAsked, OSError or http.client.HTTPException: it was not taken."""
    connection = CheckedConnection(url, ANSWER_SECONDS, fault_of)
    status = connection.post(body, {"Content-Type": "application/json", **headers}).status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise NotDelivered(f"it answered {status}; redirects are not followed")
    if status >= HTTPStatus.BAD_REQUEST:
        raise NotDelivered(f"it answered {status}")


def fault_of(address: Address, host: str) -> str:
    """Why nobody has a webhook there; empty where somebody may.

    Private networks have webhooks, and so has this machine if the setting says so itself.
    """
    plain = inner(address)
    if plain.is_loopback:
        return "" if is_this_machine(host) else "this machine, which the setting does not name"
    if has_credentials(plain):
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
