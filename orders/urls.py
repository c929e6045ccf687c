"""The API's routes: no version, no trailing slash, as the tutorial's."""

from django.urls import path

from orders.importing.views import ImportView
from orders.views import CancellationView, OrdersView, OrderView

urlpatterns = [
    path("orders", OrdersView.as_view(), name="orders"),
    path("orders/import", ImportView.as_view(), name="import"),
    path("orders/<str:order_id>", OrderView.as_view(), name="order"),
    path("orders/<str:order_id>/cancel", CancellationView.as_view(), name="cancel"),
]
