"""The list of failure groups: in which sequence, and with which figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest

from failed_messages.reading.group_figures import Figures, figures, worst_groups

#: What the groups with the most messages are sorted by: the label, and the figure.
SEQUENCES: dict[str, tuple[str, Callable[[Figures], Any]]] = {
    "messages": ("most failed messages", lambda known: known.messages),
    "orders": ("most orders", lambda known: known.orders_in_all),
    "money": ("most money", lambda known: known.amount),
}


class SortFilter(admin.SimpleListFilter):
    """Which groups come first: by default those that failed last."""

    title = "sort order"
    parameter_name = "sort"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in SEQUENCES.items()]

    @property
    def is_chosen(self) -> bool:
        return self.value() in SEQUENCES

    @cached_property
    def known(self) -> dict[str, Figures]:
        """The worst groups, in the chosen sequence, with what they are compared by."""
        _, figure = SEQUENCES[self.value() or ""]
        found = figures(worst_groups())
        return dict(sorted(found.items(), key=lambda each: figure(each[1]), reverse=True))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(pk__in=list(self.known)) if self.is_chosen else queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        by_default, *others = super().choices(changelist)
        yield {**by_default, "display": "last failure"}
        yield from others


class GroupList(ChangeList):
    """The page's groups, each with its figures: those of a page are read together."""

    result_list: Any

    @property
    def sort(self) -> SortFilter:
        return next(each for each in self.filter_specs if isinstance(each, SortFilter))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> Any:
        if not self.sort.is_chosen:
            return super().get_ordering(request, queryset)
        places = [When(pk=group, then=place) for place, group in enumerate(self.sort.known)]
        return [Case(*places, default=len(places)), "-last_failed_at", "-pk"]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        groups: list[Any] = list(self.result_list)
        known = figures([group.pk for group in groups])
        for group in groups:
            group.figures = known[group.pk]
        self.result_list = groups
