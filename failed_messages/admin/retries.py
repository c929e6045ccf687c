"""Messages that wait for their next attempt, in the admin: all of them, and what to do with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from failed_messages.acting.waiting_retries import retry_now, stop_retrying
from failed_messages.admin.ago import to_come
from failed_messages.admin.message_page import order_url
from failed_messages.admin.pages import DeskAdmin
from failed_messages.reading.act_result import ReasonMissing, Verdict
from failed_messages.reading.waiting_retry import (
    MOST_LISTED,
    WaitingRetries,
    WaitingRetry,
    find,
)
from failed_messages.records.order_facts import OrderFacts, order_facts
from failed_messages.records.permissions import DISCARD, REPLAY, may
from messaging.service import services
from runtime.mongodb_clock import mongodb_now
from runtime.plural import counted
from runtime.wrong_filters import refuse, wrong_in

PER_PAGE = 50


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
    """The list of messages that wait, and the verbs for one of them."""

    def retries_view(self, request: HttpRequest) -> HttpResponse:
        """All that wait, the soonest first; of one service with `?service=`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        service, names = request.GET.get("service", ""), tuple(services())
        waiting = WaitingRetries(service)
        asked = {name: value for name, value in request.GET.items() if name != "page"}
        if wrong := wrong_in(asked, {"service": names}):
            refuse(request, wrong)
        paginator = Paginator([] if wrong else waiting, PER_PAGE)
        page, now = paginator.get_page(request.GET.get("page")), mongodb_now()
        due = 0 if wrong else min(waiting.count_due(now), paginator.count)
        return self.page(
            request,
            "retries",
            title="Waiting retries",
            service=service,
            services=names,
            listed=page,
            known_orders=order_facts(each.order_id for each in page),
            rows=[(each, _when(each, now), retry_urls(request, each)) for each in page],
            counts="" if wrong else _counts(paginator.count - due, due),
        )

    def retry_view(self, request: HttpRequest, retry_id: str, verb: str) -> HttpResponse:
        """GET asks for confirmation, POST acts."""
        if verb not in RETRY_VERBS:
            raise Http404(f"there is nothing called {verb}")
        if not may(request.user, RETRY_VERBS[verb].permission):
            raise PermissionDenied
        retry = find(unquote(retry_id))
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
        return HttpResponseRedirect(order_url(retry.order_id, _order_of(retry)) or _list_url())

    def _ask(
        self, request: HttpRequest, retry: WaitingRetry, verb: RetryVerb, error: str = ""
    ) -> HttpResponse:
        order = _order_of(retry)
        own_page = order_url(retry.order_id, order)
        return self.page(
            request,
            "retry",
            title=f"{verb.label}: are you sure?",
            verb=verb,
            retry=retry,
            error=error,
            missing=retry.missing(order),
            order_url=own_page,
            back_url=own_page or _list_url(),
        )


def retry_urls(request: HttpRequest, retry: WaitingRetry) -> list[tuple[str, str]]:
    """What the user may do with it: labels, and the pages that ask for confirmation."""
    return [
        (verb.label, reverse("admin:failed_messages_retry", args=[quote(retry.id), verb.name]))
        for verb in RETRY_VERBS.values()
        if may(request.user, verb.permission) and not retry.obstacle
    ]


def _counts(waiting: int, due: int) -> str:
    """What is listed, in sentences."""
    if not waiting + due:
        return "No message waits for its next attempt."
    verb = "waits" if waiting == 1 else "wait"
    said = f"{counted(waiting, 'message')} {verb} for the next attempt."
    if due:
        verbs = "is due: it runs, or waits" if due == 1 else "are due: they run, or wait"
        said += f" {due:,} more {verbs} in the service's queue for a worker."
    if waiting + due >= MOST_LISTED:
        said += f" The {MOST_LISTED:,} that are due first are listed."
    return said


def _when(retry: WaitingRetry, now: datetime) -> str:
    return to_come(retry.due_at, now) if retry.due_at else "-"


def _order_of(retry: WaitingRetry) -> OrderFacts | None:
    return order_facts([retry.order_id]).get(retry.order_id)


def _list_url() -> str:
    """The list of all that wait."""
    return reverse("admin:failed_messages_retries")
