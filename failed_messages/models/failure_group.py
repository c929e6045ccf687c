"""Failed messages with one cause, and what the operators know about it."""

from __future__ import annotations

from django.db import models


class GroupStatus(models.TextChoices):
    """How far the operators are with a cause."""

    NEW = "new", "New"
    UNDER_INVESTIGATION = "under_investigation", "Under investigation"
    FIXED = "fixed", "Fixed"
    REGRESSED = "regressed", "Regressed"


class FailureGroup(models.Model):
    """One cause of failures. The archiver counts; the operators own the rest."""

    id = models.CharField("fingerprint", max_length=16, primary_key=True, db_column="_id")
    service = models.CharField(max_length=50)
    #: Empty where no code ran, e.g. for a message that expired; `reason` says why then.
    exception = models.CharField(max_length=300)
    reason = models.CharField(max_length=30)
    #: The first frame of our own code, as `billing/invoicing.py in issue`; empty without one.
    frame = models.CharField(max_length=300)
    #: The error without what differs from message to message.
    pattern = models.CharField(max_length=500)
    #: The newest error as it was.
    example = models.CharField(max_length=500)
    #: The release that the newest death met.
    release = models.CharField(max_length=100)

    #: One message may die several times.
    deaths = models.PositiveBigIntegerField()
    first_failed_at = models.DateTimeField("first failed")
    last_failed_at = models.DateTimeField("last failed")

    status = models.CharField(max_length=30, choices=GroupStatus)
    #: The release that fixes the cause; empty unless it is, or was, marked as fixed.
    fixed_in = models.CharField("fixed in release", max_length=100)
    regressed_at = models.DateTimeField(null=True)
    #: The alert that is still to be sent: `new`, `regressed`, or none.
    alert = models.CharField(max_length=20)
    alerted_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=150)
    note = models.TextField()
    link = models.CharField(max_length=500)

    class Meta:
        db_table = "failure_groups"
        verbose_name = "failure group"
        ordering = ["-last_failed_at", "-id"]
        default_permissions = ("change",)
        indexes = [
            models.Index(fields=["-last_failed_at", "-id"], name="groups_newest"),
            models.Index(fields=["status", "-last_failed_at", "-id"], name="groups_status"),
            models.Index(fields=["service", "-last_failed_at", "-id"], name="groups_service"),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.exception or self.reason}"
