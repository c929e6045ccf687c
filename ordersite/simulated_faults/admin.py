"""Seeing, planting and removing simulated faults."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin

from ordersite.simulated_faults.models import SimulatedFault


class SimulatedFaultAdmin(admin.ModelAdmin):
    list_display = ["user_id", "service", "kind"]


# Where no worker honours them, none can be added.
if settings.SIMULATED_FAULTS:
    admin.site.register(SimulatedFault, SimulatedFaultAdmin)
