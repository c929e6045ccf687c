"""`/`: what this is and where everything is; in development also a shop to try it with."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe


@csrf_exempt
@require_safe
def start_page(request: HttpRequest) -> HttpResponse:
    """The page; its shop does what any client can without a key, so it is there where one can."""
    return render(request, "ordersite/start_page.html", {"has_shop": settings.API_IS_OPEN})
