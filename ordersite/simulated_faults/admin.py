"""Simulated faults in the admin: list, add and remove them."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.forms import ChoiceField, ModelForm

from messaging.service import services
from ordersite.simulated_faults.models import SimulatedFault


class SimulatedFaultForm(ModelForm):
    #: Not the model's choices, so that a new service needs no migration.
    service = ChoiceField(choices=lambda: [(name, name) for name in services()])


class SimulatedFaultAdmin(admin.ModelAdmin):
    form = SimulatedFaultForm
    list_display = ["user_id", "service", "kind"]


# Where no worker honours them, none can be added.
if settings.SIMULATED_FAULTS:
    admin.site.register(SimulatedFault, SimulatedFaultAdmin)
