"""The site's address for clients, its origins, and its path prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_network
from urllib.parse import SplitResult, urlsplit

from environs import ValidationError

from ordersite.environment import host_name
from ordersite.urls_in_settings import url_without_query

#: A browser leaves them out of an origin. https://www.rfc-editor.org/rfc/rfc6454#section-6.2
DEFAULT_PORTS = {"http": 80, "https": 443}
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


def site_url(value: str) -> None:
    """A validator: a scheme, a host, perhaps a port and a path, and nothing else."""
    url_without_query(value)
    parts = urlsplit(value)
    host_name(parts.hostname or "")
    if not PATH.fullmatch(parts.path):
        raise ValidationError(f"{parts.path!r} is not a path such as /shop.")


def origins(site: str, hosts: Iterable[str]) -> list[str]:
    """The origins whose forms are the site's own: its URL's, and those of its other names.

    TLS may end before the site, so that each name is trusted with https, at its default port and
    at the site's.
    """
    parts = urlsplit(site.lower())
    port = f":{parts.port}" if parts.port not in (None, DEFAULT_PORTS[parts.scheme]) else ""
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    names = [each.lower() for each in hosts if each]
    named = [f"https://*{each}" if each[0] == "." else f"https://{each}" for each in names]
    with_port = [f"{each}{port}" for each in named if parts.scheme == "https"]
    every = [f"{parts.scheme}://{host}{port}", *named, *with_port]
    return list(dict.fromkeys(each for each in every if "//*:" not in each and each != "https://*"))


def path_prefix(site: str) -> str:
    """The path that a proxy puts before the site's own, e.g. `/shop`; empty where there is none."""
    return urlsplit(site).path.rstrip("/")


def header_name(value: str) -> None:
    """A validator: the name of a header, or nothing."""
    if value and not HEADER_NAME.fullmatch(value):
        raise ValidationError(f"{value!r} is not the name of a header.")


def proxy_ssl_header(name: str) -> tuple[str, str] | None:
    """What Django takes for a proof of https: the header with the value `https`."""
    return (f"HTTP_{name.upper().replace('-', '_')}", "https") if name else None


def networks(values: list[str]) -> None:
    """A validator: each is an address or a network."""
    for value in values:
        try:
            ip_network(value)
        except ValueError as error:
            raise ValidationError(f"{value!r} is not an address or network: {error}.") from None


def is_named(parts: SplitResult) -> bool:
    """Whether a browser could be there: at a host that is one, and at a port that there is."""
    try:
        host_name(parts.hostname or "")
        return parts.port != 0 and not parts.netloc.endswith(":")
    except (ValueError, ValidationError):
        return False


def browser_origins(values: list[str]) -> None:
    """A validator: each is an origin as a browser sends it; `*` would be every page there is."""
    for value in values:
        parts = urlsplit(value)
        is_origin = parts.scheme in DEFAULT_PORTS and value == f"{parts.scheme}://{parts.netloc}"
        port = value.rpartition(":")[2]
        is_default = is_origin and port == str(DEFAULT_PORTS[parts.scheme])
        if not is_origin or is_default or not is_named(parts) or "@" in value or "*" in value:
            raise ValidationError(
                f"{value!r} is not an origin such as https://shop.example.com: a scheme, a host, "
                "a port where it is not the scheme's own, and nothing behind it."
            )
        if value != value.lower():
            raise ValidationError(f"{value!r} has capitals, and a browser sends none.")
