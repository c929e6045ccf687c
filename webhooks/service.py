"""The declaration of webhooks as a service."""

from __future__ import annotations

from django.conf import settings

from messaging.service import Event, On, Service
from webhooks.events import WebhooksNoted

SERVICE = Service(
    "webhooks",
    # So each order's ledger shows that it was heard of. All that it hears later it notes alone.
    listens=[On("order.placed", leads_to=["noted"])],
    publishes=[Event("webhooks.noted", WebhooksNoted)],
    hears_every_type=True,
    notes="webhooks.noting",
    runs=settings.WEBHOOKS,
    beside={"deliverer": ["webhook_endpoints", "webhook_deliveries"]},
)
