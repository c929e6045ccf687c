"""Documents in the admin that the pipeline alone writes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class RecordedAdmin(admin.ModelAdmin):
    """Shows them, and lets no one write, change or delete one by hand.

    What is recorded has happened, and other services know of it. One that was added would be one
    no service has heard of; one that was deleted would let an event that comes twice do its
    work twice.
    """

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
