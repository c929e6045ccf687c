"""Add or remove a simulated fault."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging.service import services
from ordersite.simulated_faults.injecting import LARGEST_BSON_INTEGER
from ordersite.simulated_faults.models import SimulatedFault

NONE = "none"


class Command(BaseCommand):
    help = "Make a service fail for the orders of one user; --kind none ends that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("service", choices=list(services()), help="the service that fails")
        parser.add_argument("--user", type=user_id, required=True, help="the userId of the orders")
        parser.add_argument(
            "--kind",
            choices=[*SimulatedFault.Kind.values, NONE],
            required=True,
            help="how it fails; none removes the fault",
        )

    def handle(self, *, service: str, user: int, kind: str, **options: Any) -> None:
        if not settings.SIMULATED_FAULTS:
            raise CommandError(
                "Simulated faults are for development only, so no worker would honour this one. "
                "Development is where DJANGO_DEBUG=true."
            )
        if kind == NONE:
            self.stdout.write(remove(service, user))
        else:
            self.stdout.write(plant(service, user, kind))


def user_id(text: str) -> int:
    """An integer that MongoDB can hold, so that there can be an order with it."""
    value = int(text)
    if abs(value) > LARGEST_BSON_INTEGER:
        raise ArgumentTypeError(f"{text} is more than any userId can be")
    return value


def plant(service: str, user_id: int, kind: str) -> str:
    SimulatedFault.objects.update_or_create(
        service=service, user_id=user_id, defaults={"kind": kind}
    )
    meaning = SimulatedFault.Kind(kind).label
    return (
        f"{service} now fails for user {user_id} ({meaning}).\n"
        f"Remove it: manage.py simulate_fault {service} --user {user_id} --kind none"
    )


def remove(service: str, user_id: int) -> str:
    deleted, _ = SimulatedFault.objects.filter(service=service, user_id=user_id).delete()
    if deleted:
        return f"{service} no longer fails for user {user_id}."
    return f"{service} had no fault for user {user_id}, so nothing changed."
