from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Tells customers' own servers of events, over HTTP."""

    name = "webhooks"
