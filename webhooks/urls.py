"""The routes of webhooks."""

from django.urls import path

from webhooks.act_views import DisableView, EnableView, RotateView
from webhooks.delivery_views import (
    DeliveriesView,
    DeliveryView,
    SendAgainView,
    SendAllAgainView,
    TestView,
)
from webhooks.views import EndpointsView, EndpointView

ENDPOINT = "webhooks/endpoints/<str:endpoint_id>"
DELIVERY = "webhooks/deliveries/<str:delivery_id>"

urlpatterns = [
    path("webhooks/endpoints", EndpointsView.as_view(), name="webhook-endpoints"),
    path(ENDPOINT, EndpointView.as_view()),
    path(f"{ENDPOINT}/rotate-secret", RotateView.as_view()),
    path(f"{ENDPOINT}/enable", EnableView.as_view()),
    path(f"{ENDPOINT}/disable", DisableView.as_view()),
    path(f"{ENDPOINT}/test", TestView.as_view()),
    path(f"{ENDPOINT}/send-again", SendAllAgainView.as_view()),
    path(f"{ENDPOINT}/deliveries", DeliveriesView.as_view()),
    path(DELIVERY, DeliveryView.as_view()),
    path(f"{DELIVERY}/send-again", SendAgainView.as_view()),
]
