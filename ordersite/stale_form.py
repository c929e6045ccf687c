"""A change form that knows what its user changed, and what others changed while it was open.

It sends along what it showed, as Django's hidden initial values, so that three values are known of
each field: what was shown, what was sent, and what is stored by now. A request without shown values
is a program's; then what differs from what is stored is what it changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from runtime.moment import exact

#: Of the admin's log of an object, the newest entries that are searched for a field.
ENTRIES_READ = 20


class StaleForm(forms.ModelForm):
    """In front of a ModelForm, see `stale`."""

    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The messages about fields that others changed and this form did not.
        self.spared: list[str] = []
        if self.is_bound and not self._tells_what_it_showed():
            return
        if self.is_bound:
            self.data: Any = self.data.copy()
        for name in self._stored_fields():
            self.fields[name].show_hidden_initial = True
            if self.is_bound and (key := self[name].html_initial_name) not in self.data:
                # Nothing was shown; without the key Django takes what was sent for it.
                self.data.setlist(key, [])

    @cached_property
    def changes(self) -> list[str]:
        """Names of the fields that the form's user changed to something that is not stored yet."""
        return [name for name in self.changed_data if name in self.fields and self._differs(name)]

    def clean(self) -> dict[str, Any]:
        super().clean()
        changes = self.changes
        # Where it does not tell what it showed, as a program's, nothing can have moved under it.
        for name in self._moved() if self._tells_what_it_showed() else ():
            if name in changes:
                self.add_error(name, self._conflict(name))
            else:
                self.spared.append(self._spared(name))
                self.cleaned_data[name] = self._now(name)
                self._send(self.fields[name].widget, self.add_prefix(name), name)
            # Who saves again has seen it.
            self._send(self.fields[name].hidden_widget(), self[name].html_initial_name, name)
        return self.cleaned_data

    def _tells_what_it_showed(self) -> bool:
        prefix = self.add_initial_prefix("")
        return any(key.startswith(prefix) for key in self.data)

    def _stored_fields(self) -> list[str]:
        meta = self.instance._meta
        stored = {field.name for field in (*meta.concrete_fields, *meta.many_to_many)}
        return [
            name for name, field in self.fields.items() if name in stored and not field.disabled
        ]

    def _moved(self) -> list[str]:
        """Names of the fields of which something else is stored than was shown."""
        return [name for name in self._stored_fields() if self._has_moved(name)]

    def _has_moved(self, name: str) -> bool:
        field, key = self.fields[name], self[name].html_initial_name
        if not field.show_hidden_initial:
            return False
        now = sent(field.hidden_widget(), key, field.prepare_value(self._now(name)))
        return any(sorted(self._got(each)) != sorted(values) for each, values in now)

    def _got(self, key: str) -> list[str]:
        """What the browser sent: a line that ends as MIME wants it ends as stored ones do."""
        got: list[str] = self.data.getlist(key)
        return [each.replace("\r\n", "\n") for each in got if each]

    def _differs(self, name: str) -> bool:
        return self.fields[name].has_changed(self._now(name), self[name].data)

    def _now(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _send(self, widget: forms.Widget, key: str, name: str) -> None:
        """As if a browser had sent the stored value under this key."""
        value = self.fields[name].prepare_value(self._now(name))
        for each, values in sent(widget, key, value):
            self.data.setlist(each, values)

    def _conflict(self, name: str) -> str:
        return (
            f"{self._news(name)} while your form was open. Nothing is saved yet: save again to "
            "replace that with what you entered, or enter it here."
        )

    def _spared(self, name: str) -> str:
        return f"{self.fields[name].label}: {self._news(name)} while your form was open, and stays."

    def _news(self, name: str) -> str:
        """`Changed to 77.00 (by anna, 2026-11-28 19:00:12 UTC)`."""
        now = in_words(self.fields[name], self._now(name))
        who = last_change(self.instance, str(self.fields[name].label))
        return f"Changed to {now}{f' ({who})' if who else ''}"


def stale(form: type[forms.ModelForm]) -> type[StaleForm]:
    """The form, as one that knows what its user changed."""
    metaclass: Any = type(form)
    made: type[StaleForm] = metaclass(
        form.__name__, (StaleForm, form), {"__module__": form.__module__}
    )
    return made


def sent(widget: forms.Widget, key: str, value: Any) -> Iterator[tuple[str, list[str]]]:
    """What a browser sends of a widget that shows the value: each key with its values."""
    if isinstance(widget, forms.MultiWidget):
        parts = zip(widget.widgets, widget.widgets_names, widget.decompress(value), strict=True)
        for part, suffix, part_value in parts:
            yield from sent(part, f"{key}{suffix}", part_value)
    elif isinstance(widget, forms.CheckboxInput):
        yield key, ["on"] if value else []
    else:
        shown = value if isinstance(value, list) else widget.format_value(value)
        several = shown if isinstance(shown, list) else [shown]
        yield key, [str(each) for each in several if each not in (None, "")]


def in_words(field: forms.Field, value: Any) -> str:
    """The value as a person reads it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(field, forms.ChoiceField):
        value = dict(field.choices).get(value, value)
    return "nothing" if value in (None, "") else f'"{value}"'


def last_change(instance: Any, label: str) -> str:
    """Who changed the field last and when, as far as the admin's own log says."""
    log = LogEntry.objects.filter(
        content_type_id=ContentType.objects.get_for_model(instance).pk, object_id=str(instance.pk)
    )
    for entry in log[:ENTRIES_READ]:
        if label in changed_fields(entry.change_message):
            return f"by {entry.user.get_username()}, {exact(entry.action_time)}"
    return ""


def changed_fields(change_message: str) -> list[str]:
    """The labels in an entry of the admin's log; the oldest entries are plain text."""
    try:
        acts = json.loads(change_message)
    except ValueError:
        return []
    return [label for act in acts for label in act.get("changed", {}).get("fields", ())]
