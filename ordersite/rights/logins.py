"""The logins of our users: a file of settings for each, which its process is started with.

`EnvironmentFile=` of systemd, `env_file` of compose and `--from-env-file` of Kubernetes read them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from messaging.trust.users import processes, user_of
from runtime import database_url
from runtime.broker_url import SEPARATOR

PASSWORD_BYTES = 32


class Logins:
    """The files of one folder, each for its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def password(self, user: str) -> str:
        """The user's password, for either server; a new one where there is no file."""
        for url in self.read(user).values():
            if password := database_url.split(url).password:
                return unquote(password)
        return new_password()

    def read(self, user: str) -> dict[str, str]:
        """The settings in the user's file; none where there is no file."""
        file = self.file(user)
        if not file.exists():
            return {}
        lines = (line.partition("=") for line in file.read_text().splitlines())
        return {name: value for name, _, value in lines}

    def write(self, user: str, settings: Mapping[str, str]) -> Path:
        """Put the settings beside those that the user's file has."""
        file = self.file(user)
        before = self.read(user)
        lines = {**before, **settings}
        if lines == before:
            return file
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        return file

    def file(self, user: str) -> Path:
        """`billing.env` for the user of the process; `external-shop.env` for one of others."""
        own = {user_of(process): process for process in processes()}
        external = f"external-{quote(user, safe='')}"
        return self._folder / f"{own.get(user, external)}.env"


def new_password() -> str:
    """One that cannot be guessed, and needs no escapes in a URL."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def with_login(url: str, user: str, password: str) -> str:
    """The URL, or each of several, with this login in place of the one that it has."""
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return SEPARATOR.join(_with_login(each, login) for each in url.split(SEPARATOR))


def _with_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}").geturl()
