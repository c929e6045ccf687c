"""A bulk discard: what somebody decided for all messages of a cause, done in the background."""

from __future__ import annotations

from django.db import models


class DiscardState(models.TextChoices):
    """How far a bulk discard is."""

    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped by itself"
    CANCELLED = "cancelled", "Cancelled"
    DONE = "done", "Done"


class DiscardJob(models.Model):
    """Everything that a bulk discard needs to go on after a restart of everything."""

    by = models.CharField(max_length=150)
    at = models.DateTimeField("started")
    reason = models.TextField()
    #: `filters.Filter`s as text, one a line.
    selection = models.TextField()
    #: How many messages matched when it was started.
    found = models.PositiveBigIntegerField()
    discarded = models.PositiveBigIntegerField()
    state = models.CharField(max_length=20, choices=DiscardState)
    #: Why it stopped by itself, or what it could not discard.
    why = models.TextField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "discard_jobs"
        verbose_name = "bulk discard"
        ordering = ["-at", "-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["-at", "-id"], name="discards_newest"),
            models.Index(fields=["state"], name="discards_state"),
        ]

    def __str__(self) -> str:
        return f"bulk discard {self.pk}"
