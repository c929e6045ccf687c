"""MongoDB with a parameter that it would otherwise not have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def server_parameter(name: str, value: int) -> Iterator[int]:
    """Set the parameter while the block runs; gives the value that it has before and after."""
    admin = connection.database.client.admin
    before = admin.command("getParameter", **{name: 1})[name]
    admin.command("setParameter", **{name: value})
    try:
        yield before
    finally:
        admin.command("setParameter", **{name: before})
