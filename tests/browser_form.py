"""What a browser sends of a page's form: every field as the page has filled it in."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class BrowserForm(HTMLParser):
    """The form with this id; `sent()` is what a click on its button posts."""

    def __init__(self, page: str, form_id: str) -> None:
        super().__init__()
        self._form_id = form_id
        self._is_inside = False
        self._select = self._area = ""
        self.fields: dict[str, list[str]] = {}
        self.feed(page)
        assert self.fields, f"the page has no form {form_id!r}: {page}"

    def sent(self, **typed: Any) -> dict[str, Any]:
        """The fields, with what somebody has typed or chosen instead."""
        return {**self.fields, **typed}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self._is_inside = has.get("id") == self._form_id
        if not self._is_inside:
            return
        if tag == "select":
            self._select = has.get("name") or ""
        elif tag == "option" and "selected" in has:
            self._add(self._select, has.get("value"))
        elif tag == "textarea":
            self._area = has.get("name") or ""
            self.fields[self._area] = [""]
        elif tag == "input" and has.get("type") not in ("submit", "button"):
            is_box = has.get("type") == "checkbox"
            if not is_box or "checked" in has:
                self._add(has.get("name") or "", has.get("value") or ("on" if is_box else ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            # HTML drops the line feed that a text area begins with.
            self.fields[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.fields[self._area][0] = self.fields[self._area][0].removeprefix("\n")
            self._area = ""
        elif tag == "form":
            self._is_inside = False

    def _add(self, name: str, value: str | None) -> None:
        if name:
            self.fields.setdefault(name, []).append(value or "")
