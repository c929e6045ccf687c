from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "ordersite.access"
    verbose_name = "Clients of the API"

    def ready(self) -> None:
        from failed_messages.acting.persons import ask
        from ordersite.access import keys, token_names

        ask(keys.holders, keys.is_name_of_key)
        ask(token_names.holders, token_names.is_of_nobody)
