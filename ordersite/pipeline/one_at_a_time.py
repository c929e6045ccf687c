"""Commands that a deployment may start twice at once: one runs, the other waits for it."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from runtime.lease import Lease, kept

#: One for all: what they make, they make for each other.
LEASE = "preparing"
POLL_SECONDS = 0.5


class OneAtATime(BaseCommand):
    """A command that waits, with one line, until no other one of these works on the database.

    The lease of one that was killed ends by itself (`runtime.lease`).
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            lease = self._waited_for()
        except PyMongoError as error:
            raise CommandError(
                f"MongoDB does not answer ({error}), so nothing was done. "
                "Start it, or correct the setting MONGODB_URL."
            ) from error
        with kept(lease):
            return super().execute(*args, **options)

    def _waited_for(self) -> Lease:
        lease = Lease(LEASE)
        if not lease.is_held():
            self.stdout.write(
                "Another command prepares this database at this moment, such as migrate; "
                "waiting until it has ended."
            )
            self.stdout.flush()
        while not lease.is_held():
            time.sleep(POLL_SECONDS)
        return lease
