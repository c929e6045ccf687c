"""Checks of settings that are allowed in development only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from environs import ValidationError

from runtime import broker_url, database_url

#: In compose.yaml, and the default of development; everyone who reads this can sign with it.
KNOWN_KEY = "a-known-key-that-only-development-accepts"
#: Of every user in deploy/compose.
KNOWN_PASSWORD = "known-to-all"  # noqa: S105 - which is why it is refused
SHORTEST_KEY_CHARACTERS = 50
FEWEST_DIFFERENT_CHARACTERS = 5

#: Logins that need no password in the URL.
#: https://www.mongodb.com/docs/manual/reference/connection-string-options/#authentication-options
WITHOUT_PASSWORD = {"MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC", "GSSAPI"}

Validator = Callable[[Any], None]


def all_of(*validators: Validator) -> Validator:
    """Each has its say only once those before it had nothing to say."""

    def validate(value: Any) -> None:
        for each in validators:
            each(value)

    return validate


def secret_key(value: str) -> None:
    """A validator: the key is secret, and cannot be guessed."""
    if value == KNOWN_KEY:
        raise ValidationError("it is public, as it is in the repository.")
    if value.startswith("django-insecure-"):
        raise ValidationError("Django made it for development, as its beginning says.")
    if len(value) < SHORTEST_KEY_CHARACTERS:
        raise ValidationError(
            f"it has {len(value)} characters; {SHORTEST_KEY_CHARACTERS} are needed."
        )
    if len(set(value)) < FEWEST_DIFFERENT_CHARACTERS:
        raise ValidationError(
            f"it has fewer than {FEWEST_DIFFERENT_CHARACTERS} different characters."
        )


def secret_keys(values: Sequence[str]) -> None:
    """A validator: each of the keys is secret, and cannot be guessed."""
    for value in values:
        secret_key(value)


def hosts(value: Sequence[str]) -> None:
    """A validator: the site answers to names of its own alone."""
    names = [each.strip() for each in value]
    if not any(names):
        raise ValidationError("it names no host.")
    for name in names:
        if "*" in name or not name.strip("."):
            raise ValidationError(f"{name!r} is every host; name those that are yours.")


def broker_login(value: str) -> None:
    """A validator: RabbitMQ's user is one that was made for this site."""
    if broker_url.parse(value).login_method == "EXTERNAL":
        return
    for address in value.split(broker_url.SEPARATOR):
        user, password = _login(urlsplit(address))
        if not user or not password:
            raise ValidationError("it has no login; then RabbitMQ takes it for guest.")
        if user == "guest":
            raise ValidationError("its user is guest, whose password is public.")
        not_known(password)


def mongodb_login(value: str) -> None:
    """A validator: MongoDB is asked by a user of its own."""
    parts = database_url.split(value)
    options = {name.lower(): texts for name, texts in parse_qs(parts.query).items()}
    if WITHOUT_PASSWORD.intersection(options.get("authmechanism", ())):
        return
    user, password = _login(parts)
    if not (user and password):
        raise ValidationError(
            "it has no login, so the database is open to everyone, or this site is not let in."
        )
    not_known(password)


def not_known(password: str) -> None:
    """A validator: the password is not the one of development."""
    if password == KNOWN_PASSWORD:
        raise ValidationError("its password is public, as it is in the repository.")


def _login(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")
