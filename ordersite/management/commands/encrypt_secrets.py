"""`python manage.py encrypt_secrets`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ordersite.stored_secrets import encrypt_all
from runtime.stored_secret import UnreadableSecret


class Command(BaseCommand):
    help = (
        "Encrypt every secret in MongoDB with the first of ENCRYPTION_KEYS, so that the keys "
        "behind it are not needed any more. `migrate` does it, too."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = encrypt_all()
        for each in outcomes:
            self.stdout.write(f"{each.name}: {each.encrypted:,} encrypted")
        unreadable = [f"{each.name}: {each.unreadable:,}" for each in outcomes if each.unreadable]
        if unreadable:
            raise CommandError(f"{', '.join(unreadable)} not encrypted. {UnreadableSecret()}")
