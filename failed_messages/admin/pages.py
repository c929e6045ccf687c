"""What the desk's pages in the admin have in common."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from failed_messages.records.permissions import VIEW, may
from runtime.recorded_admin import RecordedAdmin


class DeskAdmin(RecordedAdmin):
    """Records that the product writes: who may view failed messages may view them."""

    #: The permission to view them.
    view_permission = VIEW

    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ("failed_messages/desk.css",)}

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, self.view_permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """One of the desk's own pages, `failed_messages/<template>.html`."""
        return TemplateResponse(
            request,
            f"failed_messages/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "media": self.media,
                **context,
            },
        )
