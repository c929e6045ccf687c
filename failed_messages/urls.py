"""The desk's API, its addresses."""

from __future__ import annotations

from django.urls import path

from failed_messages.api import groups as api_groups
from failed_messages.api import jobs as api_jobs
from failed_messages.api import messages as api_messages
from failed_messages.api import operations
from failed_messages.api import pending as api_pending
from failed_messages.api import policies as api_policies
from failed_messages.api import retries as api_retries
from failed_messages.api.view import DISCARD, EDIT, REPLAY

#: The scope of each act on one message.
ACTS = {"replay": REPLAY, "edit": EDIT, "discard": DISCARD, "restore": DISCARD}
#: … and on one that waits for its next attempt.
OF_RETRIES = {"retry-now": REPLAY, "stop-retrying": DISCARD}

urlpatterns = [
    path("failed-messages", api_messages.MessagesView.as_view()),
    path("failed-messages/replay", api_jobs.ReplayView.as_view()),
    path("failed-messages/groups", api_groups.GroupsView.as_view()),
    path("failed-messages/groups/<str:fingerprint>", api_groups.GroupView.as_view()),
    path("failed-messages/jobs", api_jobs.JobsView.as_view()),
    path(
        "failed-messages/jobs/<str:id_>",
        api_jobs.JobView.as_view(http_method_names=["get", "head", "options"]),
    ),
    path(
        "failed-messages/jobs/<str:id_>/<str:what>",
        api_jobs.JobView.as_view(http_method_names=["post", "options"]),
    ),
    path("failed-messages/policies", api_policies.PoliciesView.as_view()),
    path("failed-messages/policies/<str:scope>", api_policies.PolicyView.as_view()),
    path("failed-messages/pending", api_pending.PendingActsView.as_view()),
    path("failed-messages/pending/<str:id_>/<str:what>", api_pending.DecisionView.as_view()),
    *(
        path(
            f"failed-messages/retries/<str:id_>/{verb}",
            api_retries.RetryView.as_view(
                scopes={"POST": scope}, operations={"POST": operations.OF_RETRIES[verb]}
            ),
            {"verb": verb},
        )
        for verb, scope in OF_RETRIES.items()
    ),
    path("failed-messages/<str:id_>", api_messages.MessageView.as_view()),
    *(
        path(
            f"failed-messages/<str:id_>/{verb}",
            api_messages.ActView.as_view(
                scopes={"POST": scope}, operations={"POST": operations.ACTS[verb]}
            ),
            {"verb": verb},
        )
        for verb, scope in ACTS.items()
    ),
]
