"""The admin as the operator's desk."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

#: What an operator looks at first comes first; what is not named here comes last.
APP_ORDER = ["failed_messages", "orders", "inventory", "billing", "simulated_faults"]


class OrderSite(AdminSite):
    site_header = site_title = "ordersite"
    index_title = "Operator's desk"
    # There is no site to view beside this one: the rest is the API.
    site_url = None
    # A laptop's width belongs to the lists; the first page has every link.
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return sorted(super().get_app_list(request, app_label), key=_place)


def _place(app: dict[str, Any]) -> int:
    label = app["app_label"]
    return APP_ORDER.index(label) if label in APP_ORDER else len(APP_ORDER)
