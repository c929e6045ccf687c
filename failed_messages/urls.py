"""The desk's API, its addresses."""

from __future__ import annotations

from django.urls import path

from failed_messages import api

urlpatterns = [
    path("failed-messages", api.MessagesView.as_view()),
    path("failed-messages/replay", api.ReplayView.as_view()),
    path("failed-messages/groups", api.GroupsView.as_view()),
    path("failed-messages/groups/<str:fingerprint>", api.GroupView.as_view()),
    path("failed-messages/jobs", api.JobsView.as_view()),
    path(
        "failed-messages/jobs/<str:id_>",
        api.JobView.as_view(http_method_names=["get", "head", "options"]),
    ),
    path(
        "failed-messages/jobs/<str:id_>/<str:what>",
        api.JobView.as_view(http_method_names=["post", "options"]),
    ),
    path("failed-messages/policies", api.PoliciesView.as_view()),
    path("failed-messages/policies/<str:scope>", api.PolicyView.as_view()),
    path("failed-messages/<str:id_>", api.MessageView.as_view()),
    path("failed-messages/<str:id_>/<str:verb>", api.ActView.as_view()),
]
