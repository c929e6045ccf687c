"""Replay, discard and restore in the admin, each after a confirmation page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from failed_messages.acting.second_person import Waits
from failed_messages.admin.acts import SELECTION_LIMIT, VERBS, Verb, selection
from failed_messages.admin.discards import MOST_SELECTIONS, bulk_discard_url, too_many_groups
from failed_messages.admin.jobs import bulk_url
from failed_messages.admin.list_filters import asked
from failed_messages.admin.message_page import page_after
from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import FailedMessage, Status
from failed_messages.reading.act_result import ReasonMissing, Verdict, record_id
from failed_messages.reading.discard_preview import discard_preview_of
from failed_messages.reading.filters import Filter
from failed_messages.reading.next_step import consequence, runbooks
from failed_messages.reading.preview import Preview, preview_of
from failed_messages.reading.representation import SUMMARY_FIELDS
from failed_messages.records.order_facts import OrderFacts, order_facts
from messaging.isolation import isolated

#: What the scheduler does to more messages than one form takes, and the page that asks before.
IN_THE_BACKGROUND: dict[str, Callable[[Sequence[Filter]], str]] = {
    "replay": lambda selections: bulk_url(selections[0]),
    "discard": bulk_discard_url,
}
#: Of the groups that it is asked to do at once.
MOST_GROUPS = {"replay": 1, "discard": MOST_SELECTIONS}

CANNOT_TELL = (
    "What is missing because of failed message %s is not known, as its document is not as this "
    "release stores one."
)

#: More verdicts than these are summed up in one line.
VERDICTS_SHOWN = 10
#: Of a selection, so many are shown with their order and error before the act.
MESSAGES_NAMED = 10

log = logging.getLogger(__name__)


class Acting(DeskAdmin):
    """The verbs that take one message or a selection."""

    actions = ("replay_selected", "discard_selected", "restore_selected")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return VERBS["replay"].allowed(request)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return VERBS["discard"].allowed(request)

    @admin.action(description="Replay the selected messages", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._confirm_selected(request, VERBS["replay"], queryset)

    @admin.action(description="Discard the selected messages", permissions=["discard"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._confirm_selected(request, VERBS["discard"], queryset)

    @admin.action(description="Restore the selected messages", permissions=["discard"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._confirm_selected(request, VERBS["restore"], queryset)

    def _confirm_selected(
        self, request: HttpRequest, verb: Verb, queryset: QuerySet
    ) -> HttpResponse | None:
        ids = list(queryset.values_list("pk", flat=True)[: SELECTION_LIMIT + 1])
        if len(ids) > SELECTION_LIMIT and verb.name in IN_THE_BACKGROUND:
            return self._in_the_background(request, verb)
        if len(ids) > SELECTION_LIMIT:
            self.message_user(
                request,
                f"These are more than {SELECTION_LIMIT} messages. Select fewer, or use "
                f"`python manage.py failed_messages {verb.name}`.",
                messages.ERROR,
            )
            return None
        return self._confirmation(request, verb, [str(id_) for id_ in ids])

    def _in_the_background(self, request: HttpRequest, verb: Verb) -> HttpResponse | None:
        selections, most = _selections(request), MOST_GROUPS[verb.name]
        if len(selections) > most:
            said = too_many_groups(len(selections), verb.name, most)
            self.message_user(request, said, messages.ERROR)
            return None
        return HttpResponseRedirect(IN_THE_BACKGROUND[verb.name](selections))

    def act_view(self, request: HttpRequest, verb: str) -> HttpResponse:
        """GET asks for confirmation, POST acts."""
        if verb not in VERBS:
            raise Http404(f"there is nothing called {verb}")
        if not VERBS[verb].allowed(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request, VERBS[verb], request.POST.getlist("id"))
        if groups := request.GET.getlist("group"):
            in_groups = FailedMessage.objects.filter(
                fingerprint__in=groups, status=VERBS[verb].from_status
            )
            back = HttpResponseRedirect(reverse("admin:failed_messages_failuregroup_changelist"))
            return self._confirm_selected(request, VERBS[verb], in_groups) or back
        return self._confirmation(request, VERBS[verb], request.GET.getlist("id"))

    def _act(self, request: HttpRequest, verb: Verb, ids: list[str]) -> HttpResponse:
        try:
            verdicts = verb.run(
                ids[:SELECTION_LIMIT], request.user.get_username(), request.POST.get("reason", "")
            )
        except ReasonMissing as error:
            return self._confirmation(request, verb, ids, error=str(error))
        except Waits as waits:
            return self.told_to_wait(request, waits)
        self._tell(request, verb, verdicts)
        return HttpResponseRedirect(page_after(ids))

    def _tell(self, request: HttpRequest, verb: Verb, verdicts: Sequence[Verdict]) -> None:
        done = [verdict for verdict in verdicts if verdict.done]
        refused = [verdict for verdict in verdicts if not verdict.done]
        if done:
            detail = f" ({done[0].detail})" if len(done) == 1 else ""
            self.message_user(request, f"{verb.label}: {len(done)} done{detail}.", messages.SUCCESS)
        for verdict in refused[:VERDICTS_SHOWN]:
            self.message_user(
                request, f"{verb.label} refused for {verdict.id}: {verdict.detail}.", messages.ERROR
            )
        if len(refused) > VERDICTS_SHOWN:
            more = len(refused) - VERDICTS_SHOWN
            self.message_user(request, f"{verb.label} refused for {more} more.", messages.ERROR)

    def _confirmation(
        self, request: HttpRequest, verb: Verb, ids: list[str], error: str = ""
    ) -> HttpResponse:
        keys = [key for key in map(record_id, ids) if key]
        return self.page(
            request,
            "confirm",
            title=f"{verb.label}: are you sure?",
            verb=verb,
            ids=ids,
            selection=selection(ids),
            **named(keys[:MESSAGES_NAMED]),
            **told_before(verb.name, keys),
            error=error,
            act_url=reverse("admin:failed_messages_act", args=[verb.name]),
            back_url=page_after(ids),
        )


def named(keys: list[Any]) -> dict[str, Any]:
    """Each message with what is missing because of it, and those of their orders that there are."""
    records = list(FailedMessage.objects.only(*SUMMARY_FIELDS).filter(pk__in=keys))
    known = order_facts(record.order_id for record in records)
    consequences = [(record, _consequence(record, known)) for record in records]
    return {"named": consequences, "known_orders": known}


def _consequence(record: FailedMessage, known: Mapping[str, OrderFacts]) -> str:
    with isolated(log, CANNOT_TELL, record.pk):
        return consequence(record, known.get(record.order_id))
    return "Not known, as its document cannot be read; the log says why."


def _selections(request: HttpRequest) -> list[Filter]:
    """What a page of groups, or the list of messages with its filters, is about."""
    failed = {"status": str(Status.FAILED)}
    if groups := request.GET.getlist("group"):
        return [Filter.of({**failed, "group": each}) for each in groups]
    return [Filter.of({**failed, **asked(request).parameters()})]


def told_before(verb: str, keys: list[Any]) -> dict[str, Any]:
    """What the template says of these messages before they are acted on."""
    if verb == "replay":
        return told_before_replay(preview_of(keys))
    return {"sentences": discard_preview_of(keys).sentences()} if verb == "discard" else {}


def told_before_replay(known: Preview) -> dict[str, Any]:
    """The same of a replay."""
    return {
        "sentences": known.sentences(),
        "handlers": runbooks(known.kinds),
        "warns": known.warns,
    }
