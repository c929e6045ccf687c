"""The admin's page of one person's data: everything to export, or to erase."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from ordersite.personal_data.archive import export
from ordersite.personal_data.erasing import erase
from ordersite.personal_data.wording import sentences
from runtime.personal_data import SMALLEST_PSEUDONYM, holdings
from runtime.requests.number import whole_number

EXPORT = "personal_data.export_personal_data"
ERASE = "personal_data.erase_personal_data"


def personal_data_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """GET shows the form; POST exports, or erases what was confirmed.

    Raises:
        PermissionDenied: the user may do neither, or not what they ask for.
    """
    may_export, may_erase = request.user.has_perm(EXPORT), request.user.has_perm(ERASE)
    what = request.POST.get("what", "")
    if not (may_export or may_erase):
        raise PermissionDenied
    if (what == "export" and not may_export) or (what == "erase" and not may_erase):
        raise PermissionDenied
    error = ""
    if request.method == "POST":
        answer = _act(request, what)
        if isinstance(answer, HttpResponse):
            return answer
        error = answer
    shown = {
        **context,
        "title": "A person's data",
        "holdings": holdings(),
        "may_export": may_export,
        "may_erase": may_erase,
        "error": error,
        "user_number": request.POST.get("user", "")[:20],
    }
    return TemplateResponse(request, "ordersite/personal_data.html", shown)


def _act(request: HttpRequest, what: str) -> HttpResponse | str:
    """The answer, or what is wrong with the form."""
    by = request.user.get_username()
    try:
        number = whole_number(request.POST.get("user", ""), most=SMALLEST_PSEUDONYM - 1)
    except ValueError as error:
        return f"The user's number {error}."
    if what == "export":
        archive = HttpResponse(export(number, by), content_type="application/zip")
        archive["Content-Disposition"] = f'attachment; filename="personal-data-{number}.zip"'
        return archive
    if what != "erase":
        return "Choose what to do."
    if request.POST.get("confirmed") != "yes":
        return "Erasing cannot be taken back: confirm it."
    for line in sentences(erase(number, by)):
        messages.info(request, line)
    return HttpResponseRedirect(request.path)
