"""A filter of a list in the admin that has a value for each of some names."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from runtime.wrong_filters import refuse, wrong_value


class NamedFilter(admin.SimpleListFilter):
    """Its value is one of the names in `lookups`; any other is refused."""

    def named(self, request: HttpRequest, queryset: QuerySet[Model], name: str) -> QuerySet[Model]:
        """What of the list the name stands for."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if (value := self.value()) is None:
            return queryset
        if wrong := wrong_value(str(self.parameter_name), value, self.names()):
            refuse(request, wrong)
            return queryset.none()
        return self.named(request, queryset, value)

    def names(self) -> list[str]:
        return [str(name) for name, _ in self.lookup_choices]
