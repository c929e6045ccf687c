"""The admin's own history of records, which keeps what each was called."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

NAMELESS = "erased"


def forget_names(of: type[Model], ids: Iterable[str]) -> None:
    """Let the history of these records no longer say what they were called.

    Raises:
        django.db.DatabaseError: MongoDB did not answer, or refuses it.
    """
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(of), object_id__in=list(ids)
    )
    entries.update(object_repr=NAMELESS, change_message="")
