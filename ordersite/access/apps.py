from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "ordersite.access"
    verbose_name = "Clients of the API"
