"""Fields for embedded models that migrations tell by name, so that they import no live code.

The backend's own write the class into the migration, which then is as that class is today.
"""

from __future__ import annotations

from typing import Any

from django_mongodb_backend import fields

Deconstructed = tuple[str, str, list[Any], dict[str, Any]]


class EmbeddedModelField(fields.EmbeddedModelField):
    """Holds an embedded model's instance."""

    def deconstruct(self) -> Deconstructed:
        return _by_label(super().deconstruct(), "EmbeddedModelField")


class EmbeddedModelArrayField(fields.EmbeddedModelArrayField):
    """Holds a list of an embedded model's instances."""

    def deconstruct(self) -> Deconstructed:
        return _by_label(super().deconstruct(), "EmbeddedModelArrayField")


def _by_label(deconstructed: Deconstructed, name_of_class: str) -> Deconstructed:
    name, _, args, kwargs = deconstructed
    model = kwargs["embedded_model"]
    label = model if isinstance(model, str) else model._meta.label
    path = f"django_mongodb_backend.fields.{name_of_class}"
    return name, path, args, {**kwargs, "embedded_model": label}
