from django.apps import AppConfig


class FailedMessagesConfig(AppConfig):
    """Archives what the services gave up, shows it to the operators, and sends it again."""

    name = "failed_messages"
    verbose_name = "Failed messages"
