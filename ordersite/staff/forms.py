"""The forms of passwords."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm as OwnPasswordChangeForm
from django.contrib.auth.forms import AdminPasswordChangeForm


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
    pass


class ChangePassword(PasswordAlone, AdminPasswordChangeForm):
    pass
