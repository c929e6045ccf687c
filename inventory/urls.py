"""The stock's routes, for the staff."""

from django.urls import path

from inventory.views import RestockView, ShipView

urlpatterns = [
    path("inventory/products/<str:sku>/restock", RestockView.as_view(), name="restock"),
    path("inventory/reservations/<str:order_id>/ship", ShipView.as_view(), name="ship"),
]
