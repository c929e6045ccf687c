"""The keys' addresses."""

from django.urls import path

from ordersite.access.views import ApiKeysView, ApiKeyView, RevokeView, RotateView

urlpatterns = [
    path("api-keys", ApiKeysView.as_view()),
    path("api-keys/<str:id_>", ApiKeyView.as_view()),
    path("api-keys/<str:id_>/rotate", RotateView.as_view()),
    path("api-keys/<str:id_>/revoke", RevokeView.as_view()),
]
