"""Is a change of the topology running, or was one interrupted?"""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from messaging.declaring import is_changing
from ordersite.doctor.report import Finding, Severity


def unfinished(broker: Connection) -> Iterator[Finding]:
    if is_changing(broker):
        yield Finding(
            Severity.ERROR,
            "Change of the topology",
            "`topology apply` is running, or was interrupted.",
            "A queue may be missing while its worker waits; a shadow queue has its messages.",
            "python manage.py topology apply",
            "If another one is running, it says so and does nothing.",
        )
