"""What one person did alone lately, where many messages wait for a second person."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.fields import ArrayField


class ActAlone(models.Model):
    """One discard or replay that nobody else had to approve."""

    #: `discard` or `replay`.
    kind = models.CharField(max_length=30)
    #: All who may have been it: of a key those who were shown it, too.
    persons = ArrayField(models.CharField(max_length=150))
    messages = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "acts_alone"
        default_permissions = ()
        indexes = [models.Index(fields=["at"], name="acts_alone_oldest")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.messages:,} by {self.persons[0]}"
