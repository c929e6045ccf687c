from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    """Who works with the site. The last of the apps, so that every permission is there."""

    name = "ordersite.staff"

    def ready(self) -> None:
        from ordersite.staff import decisions
        from ordersite.staff.roles import make_roles

        decisions.connect()
        post_migrate.connect(make_roles, sender=self)
        post_migrate.connect(encrypt_secrets, sender=self)


def encrypt_secrets(**_: Any) -> None:
    """What a release before has stored in clear is not so any more."""
    # The library that encrypts is for processes that need it.
    from ordersite.stored_secrets import encrypt_all

    encrypt_all()
