from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "ordersite.access"
    verbose_name = "Clients of the API"

    def ready(self) -> None:
        from failed_messages.acting.persons import ask
        from ordersite.access.keys import holders

        ask(holders)
