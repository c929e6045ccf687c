"""The filters of the list of failed messages, fast also with hundreds of thousands of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from failed_messages.models import REASON_LABELS, FailureGroup, Status
from failed_messages.reading.filters import FIELDS, Filter, InvalidFilter, duration
from failed_messages.reading.group_figures import messages_by_group
from failed_messages.reading.listing import newest_ids
from messaging.handling.handlers import HANDLERS
from messaging.service import services
from runtime.mongodb_clock import mongodb_now
from runtime.named_filter import NamedFilter

#: The newest matches of a search for words; who gets as many has to say more.
MATCHES_LIMIT = 1_000

#: Of the groups to choose from.
MOST_GROUPS = 20

#: Any status.
ALL = "all"

AGES = {"15m": "15 minutes", "1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}


class SortOrder(NamedFilter):
    """What comes first in a list: a choice that leaves nothing out."""

    title = "sort order"
    parameter_name = "sort"
    #: What comes first where nothing is chosen.
    by_default = ""

    def named(self, request: HttpRequest, queryset: QuerySet, name: str) -> QuerySet:
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        by_default, *others = super().choices(changelist)
        yield {**by_default, "display": self.by_default}
        yield from others


#: In which sequence messages are listed: the label, and the fields, which an index begins with.
SEQUENCES = {
    "longest": ("last failed longest ago", ("last_failed_at", "id")),
    "first": ("first failed longest ago", ("first_failed_at", "id")),
    "attempts": ("most attempts", ("-attempts", "-id")),
}


class MessageOrder(SortOrder):
    by_default = "last failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in SEQUENCES.items()]


class FieldFilter(admin.SimpleListFilter):
    """One parameter of `filters.Filter`; Django's own filters name theirs otherwise.

    `FailedMessageAdmin` refuses a value that it cannot have.
    """

    #: The record's field.
    field = ""

    def value(self) -> str | None:
        """As what is replayed is found by, so that the list shows the same messages."""
        given: str | None = super().value()
        try:
            return Filter.of({self.parameter_name: given or ""}).parameters()[self.parameter_name]
        except InvalidFilter:
            return given

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class AskedFilter(FieldFilter):
    """One that has no choices to click on: it is there when the URL asks for it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(chosen, chosen)] if (chosen := self.value()) else []


class OrderFilter(AskedFilter):
    title, parameter_name, field = "order", "orderId", "order_id"


class UserFilter(AskedFilter):
    title, parameter_name, field = "user", "userId", "user_id"


class MessageFilter(AskedFilter):
    title, parameter_name, field = "message id", "messageId", "message_id"


class ErrorFilter(AskedFilter):
    title = parameter_name = "error"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return found(request, queryset) if self.value() else queryset


class StatusFilter(FieldFilter):
    """The list opens on what is failed, so "all" has a value of its own."""

    title = parameter_name = field = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Status.choices

    def value(self) -> str | None:
        chosen: str | None = super().value()
        return None if chosen == ALL else chosen

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        every, *others = super().choices(changelist)
        yield {**every, "query_string": changelist.get_query_string({self.parameter_name: ALL})}
        yield from others


class ServiceFilter(FieldFilter):
    """The services of the topology; Django's own filter would read every document for them."""

    title = parameter_name = field = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in services()]


class ReasonFilter(FieldFilter):
    title = parameter_name = field = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(REASON_LABELS.items())


class TypeFilter(FieldFilter):
    """The types that there are handlers for; any other can be asked for in the URL."""

    title = parameter_name = field = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        types = {type_ for _, type_ in HANDLERS} | {self.value() or ""} - {""}
        return [(type_, type_) for type_ in sorted(types)]


class GroupFilter(FieldFilter):
    """Those of which most is failed now; any other is reached from the list of groups."""

    title = "group"
    parameter_name = "group"
    field = "fingerprint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        failing = messages_by_group()
        offered = [*failing][:MOST_GROUPS]
        if (chosen := self.value()) and chosen not in offered:
            offered.append(chosen)
        known = FailureGroup.objects.in_bulk(offered)
        return [
            (each, f"{known.get(each, 'unknown')} ({each}): {failing.get(each, 0):,}")
            for each in offered
        ]


class AgeFilter(FieldFilter):
    """The age of the latest death."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(AGES.items())

    def since(self) -> datetime | None:
        try:
            return mongodb_now() - duration(self.value() or "")
        except ValueError:
            return None


class NewerFilter(AgeFilter):
    title = "failed within"
    parameter_name = "newerThan"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        since = self.since()
        return queryset.filter(last_failed_at__gte=since) if since else queryset


class OlderFilter(AgeFilter):
    title = "failed longer ago than"
    parameter_name = "olderThan"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        since = self.since()
        return queryset.filter(last_failed_at__lt=since) if since else queryset


FILTERS = (
    MessageOrder,
    StatusFilter,
    ServiceFilter,
    ReasonFilter,
    TypeFilter,
    NewerFilter,
    OlderFilter,
    GroupFilter,
    OrderFilter,
    UserFilter,
    MessageFilter,
    ErrorFilter,
)


def asked(request: HttpRequest) -> Filter:
    """What the list's URL asks for. Raises InvalidFilter."""
    parameters = {name: value for name, value in request.GET.items() if name in FIELDS}
    # The search box is sent empty, too.
    if not parameters.get("q", "").strip():
        parameters.pop("q", None)
    if parameters.get("status") == ALL:
        del parameters["status"]
    return Filter.of(parameters)


def found(request: HttpRequest, queryset: QuerySet) -> QuerySet:
    """The newest `MATCHES_LIMIT` that match all that the URL asks for; of a wrong filter, none.

    Django's own lookups find words of an error only by reading every document.
    """
    try:
        ids = newest_ids(asked(request), MATCHES_LIMIT)
    except InvalidFilter:
        # `FailedMessageAdmin` says which one is wrong.
        return queryset.none()
    if len(ids) == MATCHES_LIMIT:
        messages.info(request, f"The newest {MATCHES_LIMIT:,}; add a filter to see others.")
    return queryset.filter(pk__in=ids)
