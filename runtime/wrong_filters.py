"""How a page with filters refuses a wrong one in its address: it lists nothing, and says why."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib import messages
from django.http import HttpRequest

#: Of a name that anybody may write.
MOST_CHARACTERS = 100


def refuse(request: HttpRequest, why: object) -> None:
    """Tell the user that nothing is listed; `why` names the filter."""
    messages.error(request, f"Nothing is listed: of the filters in the address, {why}")


def wrong_value(name: str, value: str, names: Collection[str]) -> str:
    """Why the filter cannot have the value; empty where it is one of `names`."""
    return "" if value in names else f"{name}: must be one of {', '.join(names)}."


def wrong_in(given: Mapping[str, str], filters: Mapping[str, Collection[str]]) -> str:
    """Why nothing can match what an address asks for; empty where something may.

    `filters` has the values of each filter of the page.
    """
    for name, value in given.items():
        if name not in filters:
            verb = "is" if len(filters) == 1 else "are"
            return f"{name[:MOST_CHARACTERS]}: is not known here; {', '.join(filters)} {verb}."
        if wrong := wrong_value(name, value, filters[name]):
            return wrong
    return ""
