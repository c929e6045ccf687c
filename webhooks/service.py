"""The declaration of webhooks as a service."""

from __future__ import annotations

from django.conf import settings

from messaging.service import Event, On, Service
from webhooks.events import WebhooksNoted

SERVICE = Service(
    "webhooks",
    # Every order waits for this one, so that a lost event shows in the conservation line.
    listens=[On("order.placed", leads_to=["noted"])],
    publishes=[Event("webhooks.noted", WebhooksNoted)],
    hears_every_type=True,
    runs=settings.WEBHOOKS,
)
