"""The desk's API, below /failed-messages."""

from __future__ import annotations

from django.urls import path

from failed_messages import api

urlpatterns = [
    path("", api.MessagesView.as_view()),
    path("/replay", api.ReplayView.as_view()),
    path("/groups", api.GroupsView.as_view()),
    path("/groups/<str:fingerprint>", api.GroupView.as_view()),
    path("/jobs", api.JobsView.as_view()),
    path("/jobs/<str:id_>", api.JobView.as_view(http_method_names=["get", "head", "options"])),
    path("/jobs/<str:id_>/<str:what>", api.JobView.as_view(http_method_names=["post", "options"])),
    path("/policies", api.PoliciesView.as_view()),
    path("/policies/<str:scope>", api.PolicyView.as_view()),
    path("/<str:id_>", api.MessageView.as_view()),
    path("/<str:id_>/<str:verb>", api.ActView.as_view()),
]
