"""The forms of logging in and of passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.forms import AdminPasswordChangeForm as OwnPasswordChangeForm
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError

from ordersite.staff import audited, second_factor
from runtime.requests.password_guesses import guesses


class LoginForm(AdminAuthenticationForm):
    """The admin's, with a code for users who have set up a second factor."""

    code = forms.CharField(
        label="Code, if you have set up a second factor",
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        code = self.data.get("code", "")
        if second_factor.is_set_up(user) and not second_factor.verify(user, code):
            user_login_failed.send(
                __name__, credentials={"username": user.get_username()}, request=self.request
            )
            raise ValidationError("The code is not right, or was used before.", code="code")


class PasswordAlone:
    """In front of a form that sets a password: it writes that, and nothing that others changed.

    Django's `save()` writes the whole user as the form read it.
    """

    def set_password_and_save(
        self, user: Any, *args: Any, commit: bool = True, **kwargs: Any
    ) -> Any:
        user = super().set_password_and_save(user, *args, commit=False, **kwargs)  # type: ignore[misc]
        if commit:
            user.save(update_fields=["password"])
        return user


class ChangeOwnPassword(PasswordAlone, OwnPasswordChangeForm):
    def clean_old_password(self) -> str:
        """Whoever finds a browser that is logged in guesses here no faster than at the login.

        Raises:
            TooManyGuesses: see there.
        """
        # Not counted with the login's: wrong passwords of somebody else do not stop this change.
        name = f"{self.user.get_username()} logged in"
        counted = guesses.begin(None, name)
        password: str = super().clean_old_password()
        guesses.was_right(counted, None, name)
        return password

    def save(self, commit: bool = True) -> Any:
        user = super().save(commit)
        audited.note("set password", user, by=user.get_username())
        return user


class ChangePassword(PasswordAlone, AdminPasswordChangeForm):
    pass
