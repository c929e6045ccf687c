from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "ordersite.access"
    verbose_name = "Clients of the API"

    def ready(self) -> None:
        from failed_messages.acting.persons import ask
        from ordersite.access import keys, token_names

        ask(keys.holders)
        ask(token_names.holders)
