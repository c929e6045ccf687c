"""Django's users and their passwords, with a bound for guesses: the one way in with a password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from ordersite.passwords import known_browser
from runtime.requests.password_guesses import guesses


class FewGuesses(ModelBackend):
    """Tries a password for a user, unless too many wrong ones came before it."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """
        Raises:
            TooManyGuesses: see there.
            HashingIsBusy: too many others log in at this moment.
        """
        if username is None or password is None:
            # Somebody logs in in another way.
            return None
        address = request.META.get("REMOTE_ADDR", "") if request else ""
        name = username
        counted = guesses.begin(address, name, known_browser.is_known(request, name))
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            guesses.was_right(counted, address, name)
        return user
