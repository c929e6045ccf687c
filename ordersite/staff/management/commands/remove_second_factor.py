"""`python manage.py remove_second_factor NAME`"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ordersite.staff import second_factor
from runtime.decision_log import decided
from runtime.os_user import os_user


class Command(BaseCommand):
    help = "Let a user whose phone is lost log in without a code, to set up another one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user's name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None or not second_factor.remove(user, by=os_user()):
            raise CommandError(f"There is no user {options['name']!r} with a second factor.")
        decided("remove_second_factor", by=os_user(), allowed=True, reason=options["name"])
        self.stdout.write(f"{user.get_username()} logs in without a code.")
