from django.apps import AppConfig


class SimulatedFaultsConfig(AppConfig):
    name = "ordersite.simulated_faults"
    verbose_name = "Simulated faults"
