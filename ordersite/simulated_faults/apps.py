from django.apps import AppConfig
from django.conf import settings


class SimulatedFaultsConfig(AppConfig):
    name = "ordersite.simulated_faults"
    verbose_name = "Simulated faults"

    def ready(self) -> None:
        if settings.SIMULATED_FAULTS:
            from messaging.handling.execution import before_handling
            from ordersite.simulated_faults.injecting import inject

            before_handling.append(inject)
