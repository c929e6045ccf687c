from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from inventory import demo_products


class Command(BaseCommand):
    """Fills an empty catalogue."""

    help = "Add the demo products; products that exist stay as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many were added, so that a second run shows that it changed nothing."""
        added = demo_products.load()
        known = len(demo_products.DEMO_PRODUCTS) - added
        self.stdout.write(f"Added {added} demo products, {known} were there before.")
