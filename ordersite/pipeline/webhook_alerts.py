"""Alerts of webhook endpoints that failures have disabled."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from failed_messages.acting import alerts
from runtime.moment import for_programs
from webhooks.disabling import note_told, untold


def send_alerts() -> int:
    """Tell the operators, once for each endpoint; the scheduler runs this every minute.

    Returns: how many alerts went out.
    """
    return sum(map(_send, untold())) if alerts.is_set_up() else 0


def _send(endpoint: dict[str, Any]) -> bool:
    if not note_told(endpoint["_id"], True):
        return False
    key = f"webhook_disabled:{endpoint['_id']}:{endpoint['disabled_at']}"
    if alerts.deliver(alert_of(endpoint), key):
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
