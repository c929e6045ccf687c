from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """The catalogue, its stock and what is promised from it."""

    name = "inventory"
