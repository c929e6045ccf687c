"""Django's `migrate`, one at a time: two at once would both create what is missing."""

from __future__ import annotations

from django.core.management.commands import migrate

from ordersite.pipeline.one_at_a_time import OneAtATime


class Command(OneAtATime, migrate.Command):
    pass
