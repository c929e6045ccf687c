"""A new version of an event is read by every handler that reads what is declared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from localservices.pipeline import ROOT

WITH_SECOND_VERSIONS = """
import json
import django
from billing.service import SERVICE as billing
from orders.service import SERVICE as orders
for event in (*billing.publishes, *orders.publishes):
    object.__setattr__(event, "version", 2)
django.setup()
from django.core.checks import run_checks
from messaging.declarations import TAG
from messaging.handling.handlers import HANDLERS
print(json.dumps({
    "read": {f"{service} {type_}": each.version for (service, type_), each in HANDLERS.items()},
    "errors": [f"{each.id} {each.msg}" for each in run_checks(tags=[TAG])],
}))
"""

OF_THE_FIRST_SERVICES = re.compile(r"services\.E024 (orders|inventory|billing|webhooks):")


@pytest.mark.usefixtures("programs")
def test_what_only_notes_or_ignores_an_event_reads_each_version_that_is_published() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITH_SECOND_VERSIONS],
        cwd=ROOT,
        env={**os.environ, "WEBHOOKS": "true"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)

    assert found["read"]["orders billing.invoiced"] == 2, "it notes every answer"
    assert found["read"]["webhooks order.placed"] == 2, "it sends each body on"
    assert found["read"]["inventory order.rejected"] == 2, "it ignores it"
    of_these = [each for each in found["errors"] if OF_THE_FIRST_SERVICES.match(each)]
    assert of_these == [
        f"services.E024 {service}: its handler of {type_} reads its version 1, and 2 is published."
        for service, type_ in (
            *(("inventory", f"order.{each}") for each in ("cancelled", "placed")),
            *(("billing", f"order.{each}") for each in ("cancelled", "placed", "rejected")),
        )
    ]
