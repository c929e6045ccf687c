"""What the desk's pages in the admin have in common."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from failed_messages.acting.second_person import Waits
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

    def told_to_wait(self, request: HttpRequest, waits: Waits) -> HttpResponse:
        """To the act that a second person has to approve, for whoever asked for it."""
        self.message_user(request, f"{str(waits)[0].upper()}{str(waits)[1:]}.", messages.WARNING)
        url = reverse("admin:failed_messages_pendingact_change", args=[waits.id])
        return HttpResponseRedirect(url)

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
