"""Makes the servers ready for a developer: several commands in one process.

`python -m localservices.preparing` prepares the database; with a folder's name, the queues and the
logins of the processes, which are written there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "ordersite.settings"
    django.setup()
    if sys.argv[1:]:
        prepare_access(sys.argv[1])
    else:
        prepare_database()


def prepare_access(folder: str) -> None:
    """As an administrator of both servers, who alone may do this."""
    call_command("declare_topology")
    call_command("access", "apply", folder=Path(folder))


def prepare_database() -> None:
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
