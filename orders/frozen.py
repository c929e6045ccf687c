"""What past migrations import; it stays as it is."""

from __future__ import annotations

from django.db import models


class Document(models.Field):
    """Whatever MongoDB has there, as a dict; nothing is written through it."""

    def db_type(self, connection: object) -> str:
        return "object"
