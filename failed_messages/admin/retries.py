"""A message that waits for its next attempt, in the admin: run it now, or never again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from failed_messages.acting.waiting_retries import retry_now, stop_retrying
from failed_messages.admin.pages import DeskAdmin
from failed_messages.reading.act_result import ReasonMissing, Verdict
from failed_messages.reading.waiting_retry import WaitingRetry, find
from failed_messages.records.permissions import DISCARD, REPLAY, may
from messaging.order_id import object_id


@dataclass(frozen=True, slots=True)
class RetryVerb:
    """One thing to do with a message that waits."""

    name: str
    label: str
    run: Callable[[str, str, str], Verdict]
    permission: str
    #: What it will do, before it is done.
    effect: str
    asks_reason: bool = False


RETRY_VERBS = {
    verb.name: verb
    for verb in (
        RetryVerb(
            "retry-now",
            "Retry now",
            retry_now,
            REPLAY,
            "The next attempt runs at once, and counts like any other. If it fails, the message "
            "waits for the one after it, or becomes a failed message after the last one.",
        ),
        RetryVerb(
            "stop-retrying",
            "Stop retrying",
            stop_retrying,
            DISCARD,
            "No further attempt runs. The message becomes a failed message at once, with the "
            "attempts that it has had; from there it can be replayed, edited or discarded.",
            asks_reason=True,
        ),
    )
}


class Retrying(DeskAdmin):
    """The verbs for one message that waits."""

    def retry_view(self, request: HttpRequest, retry_id: str, verb: str) -> HttpResponse:
        """GET asks for confirmation, POST acts."""
        if verb not in RETRY_VERBS:
            raise Http404(f"there is nothing called {verb}")
        if not may(request.user, RETRY_VERBS[verb].permission):
            raise PermissionDenied
        retry = find(retry_id)
        if retry is None:
            raise Http404("there is no such retry")
        if request.method == "POST":
            return self._act_on(request, retry, RETRY_VERBS[verb])
        return self._ask(request, retry, RETRY_VERBS[verb])

    def _act_on(self, request: HttpRequest, retry: WaitingRetry, verb: RetryVerb) -> HttpResponse:
        reason = request.POST.get("reason", "")
        try:
            verdict = verb.run(retry.id, request.user.get_username(), reason)
        except ReasonMissing as error:
            return self._ask(request, retry, verb, str(error))
        if verdict.done:
            self.message_user(request, f"{verb.label}: {verdict.detail}.", messages.SUCCESS)
        else:
            refused = f"{verb.label} was not done: {verdict.detail}."
            self.message_user(request, refused, messages.ERROR)
        return HttpResponseRedirect(_page_of(retry))

    def _ask(
        self, request: HttpRequest, retry: WaitingRetry, verb: RetryVerb, error: str = ""
    ) -> HttpResponse:
        return self.page(
            request,
            "retry",
            title=f"{verb.label}: are you sure?",
            verb=verb,
            retry=retry,
            error=error,
            back_url=_page_of(retry),
        )


def _page_of(retry: WaitingRetry) -> str:
    """The order's page; the list of failed messages, where the order is none of ours."""
    if object_id(retry.order_id) is None:
        return reverse("admin:failed_messages_failedmessage_changelist")
    return reverse("admin:orders_order_change", args=[retry.order_id])
