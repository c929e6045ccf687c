"""Reads settings from the environment and stops the start at a bad one."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from decimal import Decimal
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple

from environs import EnvError, FileAwareEnv, ValidationError

from runtime import signed_webhook
from runtime.money import currencies

#: Written by the local services, so that every terminal talks to the same ones.
SERVICES_FILE = Path(__file__).resolve().parent.parent / ".local" / "services.env"

LONGEST_RETRY_DELAY_SECONDS = 86_400
#: What nobody waits for or keeps anything for, and every calendar has room for.
CENTURY_DAYS = 36_500
HIGHEST_PORT = 65_535

LONGEST_DATABASE_NAME = 63
DATABASE_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_DATABASE_NAME}}}")
DATABASES_OF_MONGODB = {"admin", "local", "config"}
#: A browser and a proxy send others than these as xn--….
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}\.?")


#: Of what is wrong with a value, which repeats the value.
LONGEST_REASON = 1_000


class InvalidSetting(SystemExit):
    """A setting that the site can't start with.

    It ends the process with its message only: who runs manage.py, Celery or the web
    server needs the setting's name, not the frames between them and the settings module.
    """


#: A secret may be in a file: DJANGO_SECRET_KEY_FILE names the file with DJANGO_SECRET_KEY's value.
env = FileAwareEnv(strip_whitespace=True)
# The real environment wins over the file.
env.read_env(SERVICES_FILE, recurse=False, override=False)


class Declared(NamedTuple):
    """A setting that the site reads."""

    name: str
    #: What its value is: `str`, `float`, `list` …
    kind: str
    #: None where it must be set, or is nothing.
    default: Any
    example: str


#: Each setting that was read, by name, for their reference.
DECLARED: dict[str, Declared] = {}


def setting(read: Callable[..., Any], name: str, *, example: str, **options: Any) -> Any:
    """Read the environment variable `name` with one of environs' readers.

    `options` go to the reader: `default`, `validate` and what else it takes.

    Raises:
        InvalidSetting: it is missing without a default, or no valid value.
    """
    DECLARED[name] = Declared(name, read.__name__, options.get("default"), example)
    try:
        return read(name, **options)
    except ValueError as error:  # an EnvError, or a file that cannot be read
        raise InvalidSetting(
            f"The setting {name} is not usable: {_bounded(_reason(error))}\n"
            f"Set it in the environment, for example: {name}={example}"
        ) from error


def _reason(error: ValueError) -> str:
    if not isinstance(error, EnvError):
        return str(error)
    messages = getattr(error, "error_messages", None)
    if messages is None:
        return "it is missing and has no default."
    if isinstance(messages, dict):  # a list's problems, by position
        return " ".join(f"value {at + 1}: {' '.join(texts)}" for at, texts in messages.items())
    return " ".join(messages)


def _bounded(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"


def between(least: float, most: float) -> Callable[[float], None]:
    """A validator: the number is one of these, or between them.

    There is always a most: what is beyond every calendar, or beyond a C integer, would fail where
    it is used, each time, hours after the start.
    """

    def validate(value: float) -> None:
        if not least <= value <= most:  # also refuses NaN
            raise ValidationError(f"{value} is not between {least} and {most}.")

    return validate


def file_that_can_be_written(path: str) -> None:
    """A validator: a file can be made there; empty is none."""
    if path and not os.access(Path(path).parent, os.W_OK):
        raise ValidationError(f"the folder {Path(path).parent} is missing or cannot be written.")
    try:
        is_folder = bool(path) and Path(path).is_dir()
    except OSError as error:
        raise ValidationError(f"{path} cannot be a file: {error.strerror}.") from error
    if is_folder:
        raise ValidationError(f"{path} is a folder.")


def users_and_types(values: list[str]) -> None:
    """A validator: each value is a user, a colon and a type of event; `*` stands for any."""
    for value in values:
        user, _, type_ = value.rpartition(":")
        if not (user and type_) or value != "".join(value.split()):
            raise ValidationError(f"{value!r} is not a user, a colon and a type, without blanks.")


def percentage(value: Decimal) -> None:
    """A validator: a rate in percent, with at most two places."""
    # Nothing can be compared with a Decimal's NaN.
    if not value.is_finite() or not 0 <= value <= 100:
        raise ValidationError(f"{value} is not between 0 and 100.")
    if value != round(value, 2):
        raise ValidationError(f"{value} has more than two places.")


def currency(code: str) -> None:
    """A validator: something can be sold in this currency."""
    if code not in currencies.DECIMALS:
        raise ValidationError(f"{currencies.WRONG}, not {code!r}.")


def retry_delays(values: list[float]) -> None:
    """A validator: there is a delay, and each is one that a retry queue can have."""
    if not values:
        raise ValidationError("it must hold at least one delay.")
    for value in values:
        if not 0 < value <= LONGEST_RETRY_DELAY_SECONDS:
            raise ValidationError(f"{value:g} is not between 0 and {LONGEST_RETRY_DELAY_SECONDS}.")


def one_of(*choices: str) -> Callable[[str], None]:
    """A validator: the value is one of these."""

    def check(value: str) -> None:
        if value not in choices:
            raise ValidationError(f"must be {' or '.join(choices)}")

    return check


def database_name(value: str) -> None:
    """A validator: MongoDB can have a database of this name, and none of its own has it.

    https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions
    """
    if not DATABASE_NAME.fullmatch(value):
        raise ValidationError(
            f"{value!r} is not a name of 1 to {LONGEST_DATABASE_NAME} letters, digits, - and _."
        )
    if value in DATABASES_OF_MONGODB:
        raise ValidationError(f"{value!r} is MongoDB's own.")


def host_name(value: str) -> None:
    """A validator: a name or address that can be connected to, without a port."""
    if not (HOST_NAME.fullmatch(value) or is_address(value)):
        raise ValidationError(f"{value!r} is not a host's name or address.")


def email_addresses(values: list[str]) -> None:
    """A validator: mail can be sent to each, as far as can be seen from here."""
    for value in values:
        email_sender(value)
        if parseaddr(value)[1] != value:
            raise ValidationError(f"{value!r} is more than an e-mail address.")


def email_sender(value: str) -> None:
    """A validator: an e-mail address, perhaps with a name: `Orders <orders@example.com>`."""
    address = parseaddr(value)[1]
    try:
        parts = Address(addr_spec=address)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise ValidationError(f"{value!r} is not an e-mail address.") from error
    if not (parts.username and parts.domain and value.isprintable()):
        raise ValidationError(f"{value!r} is not an e-mail address.")


def not_empty(value: str) -> None:
    """A validator: there is something."""
    if not value.strip():
        raise ValidationError("it must not be empty.")


def pairs(value: dict[str, str]) -> None:
    """A validator: there is a pair, and no side of any is empty."""
    if not (value and all(value) and all(value.values())):
        raise ValidationError("it must hold at least one pair, and no side of one may be empty.")


def host_names(values: list[str]) -> None:
    """A validator: each is a host as a browser asks for it, without scheme, port or path.

    One that begins with a dot stands for all names below it, and `*` for every name.
    """
    for value in values:
        name = value.removeprefix(".")
        is_ipv6 = name.startswith("[") and name.endswith("]") and is_address(name[1:-1])
        if value and value != "*" and not (HOST_NAME.fullmatch(name) or is_ipv6):
            raise ValidationError(
                f"{value!r} is not a host such as orders.example.com or [::1], without https:// "
                "and without a port."
            )


def is_address(text: str) -> bool:
    """Whether it is an address of IPv4 or IPv6."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def ip_address(value: str) -> None:
    """A validator: an address to listen on."""
    if not is_address(value):
        raise ValidationError(f"{value!r} is not an IP address.")


def webhook_secrets(values: list[str]) -> None:
    """A validator: each is a secret as Standard Webhooks has it."""
    for value in values:
        try:
            signed_webhook.check_secret(value)
        except ValueError as error:
            # It is told without the secret.
            raise ValidationError(str(error)) from error
