"""Can every stored secret be read?"""

from __future__ import annotations

from collections.abc import Iterator

from ordersite.doctor.report import Finding, Severity
from ordersite.stored_secrets import unreadable


def stored() -> Iterator[Finding]:
    for name, count in unreadable():
        yield Finding(
            Severity.ERROR,
            f"Secrets of {name}",
            f"{count:,} cannot be decrypted with ENCRYPTION_KEYS or DJANGO_SECRET_KEY.",
            "Nobody logs in with these second factors, and nothing is sent to these endpoints.",
            "python manage.py encrypt_secrets",
            "Before that, add the key that encrypted them to ENCRYPTION_KEYS, behind the others, "
            "of every web process, deliverer and scheduler. Where it is lost: "
            "remove_second_factor, and rotate the endpoints' secrets without an overlap.",
        )
