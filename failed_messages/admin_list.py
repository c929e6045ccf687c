"""What keeps the admin's list fast with a hundred thousand failed messages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from failed_messages.collection import failed_messages
from messaging.topology import SERVICES


class IndexedPaginator(Paginator):
    """Counts what is filtered from its index, and everything from the collection's own count."""

    @cached_property
    def count(self) -> int:
        if self.object_list.query.where:
            return self.object_list.count()
        return failed_messages().estimated_document_count()


class ServiceFilter(admin.SimpleListFilter):
    """The services of the topology; Django's own filter would read every document for them."""

    title = "service"
    parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in SERVICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(service=self.value()) if self.value() else queryset
