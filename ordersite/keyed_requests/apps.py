from django.apps import AppConfig


class KeyedRequestsConfig(AppConfig):
    name = "ordersite.keyed_requests"
    verbose_name = "Requests with an Idempotency-Key"
