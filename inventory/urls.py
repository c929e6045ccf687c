"""The catalogue's routes, for everyone, and the stock's, for the staff."""

from django.urls import path

from inventory.product_views import OfferView, ProductsView, ProductView, WithdrawView
from inventory.views import RestockView, ShipView

urlpatterns = [
    path("products", ProductsView.as_view(), name="products"),
    path("products/<str:sku>", ProductView.as_view()),
    path("products/<str:sku>/withdraw", WithdrawView.as_view()),
    path("products/<str:sku>/offer", OfferView.as_view()),
    path("inventory/products/<str:sku>/restock", RestockView.as_view(), name="restock"),
    path("inventory/reservations/<str:order_id>/ship", ShipView.as_view(), name="ship"),
]
