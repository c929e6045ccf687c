from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Takes orders, publishes their events, and keeps each order's ledger."""

    name = "orders"
