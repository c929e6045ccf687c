"""`/`: what this is and where everything is; in development also a shop to try it with."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ordersite.web.read_only import read_only


@read_only
def start_page(request: HttpRequest) -> HttpResponse:
    """The page; its shop does what any client can without a key, so it is there where one can."""
    return render(request, "ordersite/start_page.html", {"has_shop": settings.API_IS_OPEN})
