"""A list of the admin whose rows need something that is looked up once for the whole page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest


class PageOfRecords(ChangeList):
    """The records of the page that is shown, each with what `complete` has added to it."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # A queryset would read them anew, without what was added.
        self.result_list = list(self.result_list)
        self.complete(self.result_list)

    def complete(self, records: list[Any]) -> None:
        """Add to each record what its row shows."""
        raise NotImplementedError
