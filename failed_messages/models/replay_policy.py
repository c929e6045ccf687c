"""Scheduled replay: what is replayed automatically. There is none until an operator sets one."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.fields import ArrayField


class ReplayPolicy(models.Model):
    #: `service billing` or `group 0123456789ab`.
    id = models.CharField("scope", max_length=70, primary_key=True, db_column="_id")
    service = models.CharField(max_length=50)
    group = models.CharField(max_length=16)
    #: Only messages that died for this reason; empty for any.
    reason = models.CharField(max_length=30)
    #: After each death the next one; as many replays as there are delays.
    delays_seconds = ArrayField(models.PositiveIntegerField())
    enabled = models.BooleanField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        db_table = "replay_policies"
        verbose_name_plural = "replay policies"
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.pk
