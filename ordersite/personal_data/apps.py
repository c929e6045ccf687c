from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PersonalDataConfig(AppConfig):
    name = "ordersite.personal_data"
    verbose_name = "Personal data"

    def ready(self) -> None:
        autodiscover_modules("personal_data")
