"""Webhooks in the admin: endpoints are made, tested and rotated; deliveries are sent again."""

from django.contrib import admin

from webhooks.admin.deliveries import DeliveryAdmin
from webhooks.admin.endpoints import EndpointAdmin
from webhooks.models import Delivery, Endpoint

admin.site.register(Endpoint, EndpointAdmin)
admin.site.register(Delivery, DeliveryAdmin)
