"""A bulk replay: many messages, a few at first."""

from __future__ import annotations

from django.db import models


class JobState(models.TextChoices):
    """How far a bulk replay is."""

    GATHERING = "gathering", "Gathering"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    STOPPED = "stopped", "Stopped by itself"
    CANCELLED = "cancelled", "Cancelled"
    DONE = "done", "Done"


class PartState(models.TextChoices):
    """What became of one message of a bulk replay."""

    WAITING = "waiting", "Not sent yet"
    SENT = "sent", "Sent, not answered yet"
    RESOLVED = "resolved", "Resolved"
    RECURRED = "recurred", "Failed again of the same cause"
    DIED = "died", "Failed again of another cause"
    LEFT_OUT = "left_out", "Left out"
    REFUSED = "refused", "Refused"


class ReplayJob(models.Model):
    """Everything that a bulk replay needs to go on after a restart of everything."""

    by = models.CharField(max_length=150)
    at = models.DateTimeField("started")
    reason = models.TextField()
    #: A `filters.Filter` as text.
    selection = models.TextField()
    #: Messages a second, once the first few are answered.
    rate = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=JobState)
    #: Why it stopped by itself.
    why = models.TextField()
    finished_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    # How many of its messages are in each `PartState`, as of the last step:
    waiting = models.PositiveBigIntegerField()
    sent = models.PositiveBigIntegerField()
    resolved = models.PositiveBigIntegerField()
    recurred = models.PositiveBigIntegerField()
    died = models.PositiveBigIntegerField()
    left_out = models.PositiveBigIntegerField()
    refused = models.PositiveBigIntegerField()

    class Meta:
        db_table = "replay_jobs"
        verbose_name = "bulk replay"
        ordering = ["-at", "-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["-at", "-id"], name="jobs_newest"),
            models.Index(fields=["state"], name="jobs_state"),
            models.Index(fields=["sent"], name="jobs_sent"),
        ]

    def __str__(self) -> str:
        return f"bulk replay {self.pk}"
