"""What the services gave up, in a form that says why."""

from __future__ import annotations

from django.db import connection


def failed_messages() -> list[str]:
    """One line for each failed message: its service, reason, type, order and error."""
    return [
        "{service}: {reason}, {type} of order {order_id!r}: {certificates}".format(**failed)
        for failed in connection.database["failed_messages"].find()
    ]
