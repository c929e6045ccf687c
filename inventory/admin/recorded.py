"""Documents that the inventory service alone writes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class RecordedAdmin(admin.ModelAdmin):
    """Shows them, and lets no one write, change or delete one by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """One without its stock would break the books."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is recorded has happened, and is on its way to other services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They keep an event that comes twice from moving stock twice."""
        return False
