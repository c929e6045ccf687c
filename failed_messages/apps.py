from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class FailedMessagesConfig(AppConfig):
    name = "failed_messages"
    verbose_name = "Failed messages"

    def ready(self) -> None:
        # Handlers declare their runbooks beside their code; the desk shows them.
        autodiscover_modules("tasks")
