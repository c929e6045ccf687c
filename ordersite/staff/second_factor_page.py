"""The admin's page where each user sets up their own second factor."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from ordersite.staff import second_factor
from ordersite.staff.sessions import end_others


def second_factor_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """POST makes a secret, confirms it with a code, or removes it with one."""
    shown = {**context, "title": "Second factor", "address": ""}
    if request.method == "POST":
        code, what = request.POST.get("code", ""), request.POST.get("what")
        is_set_up = second_factor.is_set_up(request.user)
        if what == "begin" and not is_set_up:
            shown["address"] = second_factor.begin(request.user)
        elif what == "confirm" and not is_set_up:
            is_right = second_factor.confirm(request.user, code)
            if is_right:
                # Whoever is in with the password alone gave no code.
                end_others(request.user, request.session.session_key)
            return _told(request, is_right, "From now on a login needs a code.")
        elif what == "remove" and is_set_up:
            is_right = second_factor.verify(request.user, code)
            if is_right:
                second_factor.remove(request.user, by=request.user.get_username())
            return _told(request, is_right, "A login needs no code any more.")
    shown["is_set_up"] = second_factor.is_set_up(request.user)
    return TemplateResponse(request, "ordersite/second_factor.html", shown)


def _told(request: HttpRequest, is_right: bool, done: str) -> HttpResponse:
    if is_right:
        messages.success(request, done)
    else:
        messages.error(request, "The code is not right, or was used before. Try the next one.")
    return HttpResponseRedirect(request.path)
