"""Is the database as the code expects it: every migration applied, every index there?"""

from __future__ import annotations

from collections.abc import Iterator

from ordersite.doctor import declared_indexes
from ordersite.doctor.report import Finding, Severity
from runtime.waiting import unapplied


def migrations() -> Iterator[Finding]:
    if names := unapplied():
        yield Finding(
            Severity.ERROR,
            "Migrations",
            f"Not applied: {', '.join(names)}.",
            "The code expects another state of the database.",
            "python manage.py migrate",
        )


def indexes() -> Iterator[Finding]:
    """None while migrations are to be applied: they make the indexes."""
    for index in [] if unapplied() else declared_indexes.missing():
        is_unique = bool(index.model.document.get("unique"))
        yield Finding(
            Severity.ERROR if is_unique else Severity.WARNING,
            f"Index {index.name} of {index.collection}",
            "It is missing, or not as declared.",
            "The same key can be stored twice."
            if is_unique
            else "Its queries read the whole collection, and get slower as it grows.",
            "python manage.py declare_indexes",
        )
