"""Where a customer's endpoint may be: on the internet, and not in the networks of this site."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from django.conf import settings

from runtime.address_kinds import Address, has_credentials, inner

MOST_CHARACTERS = 2_000

#: Top-level names that lead to nobody outside (RFC 6761, RFC 6762, and what ICANN reserved).
NAMES_INSIDE = {"localhost", "local", "internal", "invalid", "test"}

#: Of a name and of each part of it (RFC 1035, section 2.3.4); some have an underscore.
MOST_NAME_CHARACTERS = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def fault_of_url(url: str) -> str:
    """What is wrong with an endpoint's URL, in words like `must start with …`; empty for nothing.

    What its host stands for is checked at every attempt, as that may change.
    """
    if not 1 <= len(url) <= MOST_CHARACTERS:
        return f"must have 1 to {MOST_CHARACTERS:,} characters"
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "must have no blanks, control characters or letters beyond ASCII"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return "must have a host and a port that can be read"
    if parts.scheme not in ("http", "https") or not host:
        return "must be a URL that starts with https:// and a host"
    if parts.scheme == "http" and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        return "must start with https://, as the events are a customer's own affair"
    if port == 0:
        return "must have a port from 1 to 65535, or none"
    if parts.username is not None or parts.password is not None:
        return "must have no login before its host; the signature says who sends it"
    if parts.fragment or url.endswith("#"):
        return "must have no fragment (#…), which no server gets"
    return fault_of_host(host)


def fault_of_host(host: str) -> str:
    """The same for its host, as far as that can be told without looking it up."""
    try:
        address = ip_address(host)
    except ValueError:
        return fault_of_name(host)
    reason = fault_of(address, host)
    return f"must not lead to {address}, {reason}" if reason else ""


def fault_of_name(name: str) -> str:
    """The same for a name: of this machine or network, or an address in disguise (`127.1`)."""
    labels = name.removesuffix(".").split(".")
    if len(name) > MOST_NAME_CHARACTERS or not all(map(_LABEL.fullmatch, labels)):
        return "must have a host that can be looked up: letters, digits, hyphens and dots"
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return "must have an address in its usual form, or a name"
    is_inside = len(labels) == 1 or labels[-1] in NAMES_INSIDE
    if is_inside and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        return "must have a name that is known on the internet"
    return ""


def fault_of(address: Address, host: str) -> str:
    """Why nothing is sent to this address; empty where it is anybody's on the internet.

    An IPv6 address may have one of IPv4 in it, that a gateway leads to.
    """
    plain = inner(address)
    if plain.is_multicast or plain.is_unspecified:
        return "which is nobody's address"
    if has_credentials(plain):
        return "where a cloud keeps the machine's credentials"
    if plain.is_loopback or (plain.is_private and not plain.is_reserved):
        is_fine = settings.WEBHOOKS_TO_PRIVATE_ADDRESSES
        return "" if is_fine else "which is not on the internet"
    is_old = isinstance(plain, IPv6Address) and plain.is_site_local
    if plain.is_reserved or is_old or not plain.is_global:
        return "which is not on the internet"
    return ""
