from django.apps import AppConfig


class BillingConfig(AppConfig):
    """What orders owe."""

    name = "billing"
