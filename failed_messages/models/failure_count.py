"""How many deaths a group had in one hour: what trends and charts are drawn from."""

from __future__ import annotations

from django.db import models


class FailureCount(models.Model):
    #: `<fingerprint>|<hour>`, so that an upsert finds its one document.
    id = models.CharField(max_length=40, primary_key=True, db_column="_id")
    group = models.CharField(max_length=16)
    service = models.CharField(max_length=50)
    hour = models.DateTimeField()
    deaths = models.PositiveBigIntegerField()

    class Meta:
        db_table = "failure_counts"
        default_permissions = ()
        indexes = [
            models.Index(fields=["hour"], name="counts_hour"),
            models.Index(fields=["group", "hour"], name="counts_group_hour"),
        ]

    def __str__(self) -> str:
        return self.pk
