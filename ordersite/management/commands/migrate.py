"""Django's `migrate`, one at a time: two at once would both create what is missing."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from ordersite.doctor import declared_indexes
from ordersite.pipeline.one_at_a_time import OneAtATime


class Command(OneAtATime, migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Also makes the indexes that the services' declarations ask for: each may be new."""
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            for index in declared_indexes.of_services():
                declared_indexes.create(index)
