"""Add the demo fault, once for each database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from ordersite.simulated_faults.models import SimulatedFault

SERVICE, USER_ID = "billing", 500


class Command(BaseCommand):
    help = f"Make {SERVICE} fail for user {USER_ID}, unless this database ever had that fault."

    def handle(self, **options: Any) -> None:
        if not settings.SIMULATED_FAULTS:
            raise CommandError("Simulated faults are for development only (DJANGO_DEBUG=true).")
        if not first_time():
            self.stdout.write("This database already had the demo fault; nothing is changed.")
            return
        SimulatedFault.objects.get_or_create(
            service=SERVICE, user_id=USER_ID, defaults={"kind": SimulatedFault.Kind.ERROR}
        )
        self.stdout.write(f"{SERVICE} now fails for user {USER_ID}.")


def first_time() -> bool:
    """Whether it was never added; a removed fault must not come back with a restart."""
    result = connection.get_collection("demo_data").update_one(
        {"_id": "faults"}, {"$setOnInsert": {"loaded_at": datetime.now(UTC)}}, upsert=True
    )
    return result.upserted_id is not None
