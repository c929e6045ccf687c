"""What the pages of bulk replays and of bulk discards in the admin have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bson import ObjectId
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from failed_messages.admin.pages import DeskAdmin
from failed_messages.records.last_act import last_act
from runtime.moment import exact


class JobAdmin(DeskAdmin):
    """Jobs that the scheduler runs: one is started on a page of its own, and watched on another."""

    list_display = ("started", "by", "state_label", "what", "progress")
    list_display_links = ("started",)
    list_per_page = 50
    actions = None

    #: By state, what it is coloured as; the other states as `other_edge`.
    edges: ClassVar[Mapping[Any, str]]
    other_edge: ClassVar[str]

    @admin.display(description="started")
    def started(self, job: Any) -> str:
        return exact(job.at)

    @admin.display(description="state")
    def state_label(self, job: Any) -> str:
        return format_html(
            '<span class="fm-status fm-{}">{}</span>', self.edge(job), job.get_state_display()
        )

    def edge(self, job: Any) -> str:
        return self.edges.get(job.state, self.other_edge)

    def job(self, id_: str) -> Any:
        """Raises Http404: there is none of this id."""
        found = self.model.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
        if found is None:
            raise Http404(f"there is no such {self.opts.verbose_name}")
        return found

    def to_job(self, id_: ObjectId) -> HttpResponse:
        """To the page on which it is watched."""
        url = reverse(f"admin:failed_messages_{self.opts.model_name}_change", args=[id_])
        return HttpResponseRedirect(url)

    def told_started_before(self, request: HttpRequest, id_: str) -> HttpResponse:
        """To the job that the same form has started, for whoever sent it twice."""
        said = f"It was started before ({last_act(id_)}), and was not started again."
        self.message_user(request, said, messages.WARNING)
        return self.to_job(ObjectId(id_))
