"""Validators of the settings that are URLs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from environs import ValidationError

from ordersite import mongodb_url
from runtime import broker_url
from runtime.url_text import check_characters, check_host


def telling(check: Callable[[str], object]) -> Callable[[str], None]:
    """The validator whose ValueErrors are what the operator reads."""

    @wraps(check)
    def validate(value: str) -> None:
        try:
            check(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    return validate


broker_url_that_works = telling(broker_url.check)
mongodb_url_that_works = telling(mongodb_url.check)


@telling
def web_url(value: str) -> None:
    """One that urllib can ask, or nothing where the setting may be empty."""
    if value:
        _check(value)


@telling
def url_of_keys(value: str) -> None:
    """One whose answer cannot be changed on the way, or nothing where the setting may be empty."""
    if not value:
        return
    _check(value)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("it must start with https://, as its answer decides who is let in.")


@telling
def url_without_query(value: str) -> None:
    """One that paths are put behind."""
    _check(value)
    if "?" in value:
        raise ValueError("it has a query (?…): write what comes before it.")


@telling
def management_url(value: str) -> None:
    """The address of RabbitMQ's management page, or nothing."""
    if not value:
        return
    _check(value)
    if "?" in value:
        raise ValueError("it has a query (?…): write what comes before it.")
    if value.rstrip("/").endswith("/api"):
        raise ValueError("it is the address of the management page, without /api.")


def _check(value: str) -> None:
    check_characters(value)
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname
    except ValueError:
        # Its words would repeat a part of the password.
        raise ValueError("its host or port can't be read.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("it must be a URL that starts with https:// or http:// and a host.")
    check_host(host)
    if port == 0:
        raise ValueError("its port is 0.")
    if parts.username is not None:
        raise ValueError("it has a login before its host: leave that out.")
    if "#" in value:
        raise ValueError("it has a fragment (#…): leave that out.")
