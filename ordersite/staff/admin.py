"""The admin's pages of users."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User

from ordersite.staff.forms import ChangePassword

admin.site.unregister(User)


@admin.register(User)
class StaffAdmin(UserAdmin):
    """Django's own, whose page of the password writes the password alone."""

    change_password_form = ChangePassword
