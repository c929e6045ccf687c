"""Create the development admin."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from ordersite.pipeline.one_at_a_time import OneAtATime

NAME = PASSWORD = "admin"  # noqa: S105 - known to all on purpose


class Command(OneAtATime):
    help = f"Create the admin user {NAME} with the password {PASSWORD}; for development only."

    def handle(self, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "A user with a known password is for development only (DJANGO_DEBUG=true). "
                "Elsewhere create yours: manage.py createsuperuser"
            )
        if User.objects.filter(username=NAME).exists():
            self.stdout.write(f"The user {NAME} exists; its password is not changed.")
            return
        User.objects.create_superuser(NAME, password=PASSWORD)
        self.stdout.write(f"Created the user {NAME} with the password {PASSWORD}.")
