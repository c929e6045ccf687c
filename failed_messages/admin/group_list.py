"""The list of failure groups: in which sequence, and with which figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest

from failed_messages.admin.list_filters import SortOrder
from failed_messages.models import GroupStatus
from failed_messages.reading.group_choice import chosen
from failed_messages.reading.group_figures import Figures, dearest_groups, figures, worst_groups
from messaging.service import services
from runtime.named_filter import NamedFilter
from runtime.page_of_records import PageOfRecords


class Sequence(NamedTuple):
    """What groups are sorted by."""

    label: str
    figure: Callable[[Figures], Any]
    #: Which are compared.
    worst: Callable[[], list[str]]


SEQUENCES = {
    "messages": Sequence("most failed messages", lambda known: known.messages, worst_groups),
    "orders": Sequence("most orders", lambda known: known.orders_in_all, worst_groups),
    "money": Sequence("most money", lambda known: known.amount, dearest_groups),
}


class SortFilter(SortOrder):
    """Which groups come first; what is compared is compared for the worst alone."""

    by_default = "last failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, *_) in SEQUENCES.items()]

    @property
    def is_chosen(self) -> bool:
        return self.value() in SEQUENCES

    @cached_property
    def known(self) -> dict[str, Figures]:
        """The worst groups, in the chosen sequence, with what they are compared by."""
        sequence = SEQUENCES[self.value() or ""]
        found = figures(sequence.worst())
        return dict(sorted(found.items(), key=lambda each: sequence.figure(each[1]), reverse=True))

    def named(self, request: HttpRequest, queryset: QuerySet, name: str) -> QuerySet:
        return queryset.filter(pk__in=list(self.known))


class ServiceFilter(NamedFilter):
    """The services of the topology; Django's own filter would read every group for them."""

    title = parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in services()]

    def named(self, request: HttpRequest, queryset: QuerySet, name: str) -> QuerySet:
        return queryset.filter(service=name)


class StatusFilter(admin.ChoicesFieldListFilter):
    """The operators' status; "new" as its label on each group says it."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.lookup_val == [GroupStatus.NEW]:
            return chosen(queryset, str(GroupStatus.NEW))
        return super().queryset(request, queryset)


class GroupList(PageOfRecords):
    """The page's groups, each with its figures: those of a page are read together."""

    @property
    def sort(self) -> SortFilter:
        return next(each for each in self.filter_specs if isinstance(each, SortFilter))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> Any:
        if not self.sort.is_chosen:
            return super().get_ordering(request, queryset)
        places = [When(pk=group, then=place) for place, group in enumerate(self.sort.known)]
        return [Case(*places, default=len(places)), "-last_failed_at", "-pk"]

    def complete(self, records: list[Any]) -> None:
        known = figures([group.pk for group in records])
        for group in records:
            group.figures = known[group.pk]
