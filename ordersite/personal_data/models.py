"""Whose data were erased, for as long as messages about them may still come."""

from __future__ import annotations

from django.db import models


class Erasure(models.Model):
    """One person whose data were asked to be erased.

    The user's number stays until nothing of theirs can come any more and no invoice of theirs has
    to be kept; then the pseudonym takes its place, and nobody can tell any more who it was.
    """

    user_id = models.BigIntegerField("user id", primary_key=True, db_column="_id")
    #: What stands in the user's place since.
    pseudonym = models.BigIntegerField()
    #: When it was asked for, the last time.
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    #: How many documents have to be kept yet, or wait.
    remaining = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "erasures"
        default_permissions = ()
        permissions = [
            ("export_personal_data", "Can export everything that is kept of a person"),
            ("erase_personal_data", "Can erase what is kept of a person"),
        ]
