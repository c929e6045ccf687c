"""Makes the database ready for a developer: three commands in one process."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordersite.settings")
    django.setup()
    # Only now can the settings be read. A MongoDB that others run may not be there yet.
    from runtime.stopping import StopRequest
    from runtime.waiting import wait_for_mongodb

    wait_for_mongodb(StopRequest())
    call_command("migrate", verbosity=0)
    call_command("load_demo_products")
    call_command("ensure_admin")
    if settings.SIMULATED_FAULTS:
        call_command("load_demo_faults")


if __name__ == "__main__":
    main()
