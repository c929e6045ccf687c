"""Alerts of webhook endpoints that failures have disabled."""

from __future__ import annotations

import logging
from typing import Any

from django.urls import reverse

from failed_messages.acting import alerts
from messaging.isolation import isolated
from runtime.moment import for_programs
from webhooks.disabling import note_told, untold

logger = logging.getLogger(__name__)

CANNOT_TELL = (
    "The alert about the disabled webhook endpoint %s cannot be written, as its document is not as "
    "this release stores one; the others' are sent. Correct the document."
)


def send_alerts() -> int:
    """Tell the operators, once for each endpoint; the scheduler runs this every minute.

    Returns: how many alerts went out.
    """
    count = 0
    for endpoint in untold() if alerts.is_set_up() else ():
        with isolated(logger, CANNOT_TELL, endpoint["_id"]):
            count += _send(endpoint)
    return count


def _send(endpoint: dict[str, Any]) -> bool:
    alert = alert_of(endpoint)
    if not note_told(endpoint["_id"], True):
        return False
    key = f"webhook_disabled:{endpoint['_id']}:{endpoint['disabled_at']}"
    if alerts.deliver(alert, key):
        return True
    note_told(endpoint["_id"], False)
    return False


def alert_of(endpoint: dict[str, Any]) -> dict[str, Any]:
    """What the operators are told; nothing of its secrets."""
    page = reverse("admin:webhooks_endpoint_change", args=[endpoint["_id"]])
    return {
        "kind": "webhook_disabled",
        "headline": f"The webhook endpoint {endpoint['url']} is disabled",
        "endpoint": endpoint["_id"],
        "user": endpoint["user_id"],
        "error": endpoint["reason"],
        "failingSince": for_programs(endpoint["failing_since"]),
        "url": alerts.address_of(page),
    }
