"""The declaration of webhooks as a service."""

from __future__ import annotations

from django.conf import settings

from messaging.service import Event, On, Service
from webhooks.events import WebhooksNoted

SERVICE = Service(
    "webhooks",
    # Every order waits for this one, so that it shows in the conservation line when it is lost. For
    # what it hears later nothing waits.
    listens=[On("order.placed", leads_to=["noted"])],
    publishes=[Event("webhooks.noted", WebhooksNoted)],
    hears_every_type=True,
    runs=settings.WEBHOOKS,
)
