"""Acts that wait for a second person, where a setting asks for one."""

from __future__ import annotations

from django.db import models


class PendingState(models.TextChoices):
    """What has become of it."""

    WAITING = "waiting", "Waiting for another person"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


class PendingAct(models.Model):
    """One act of one person that another one is to approve."""

    #: `edit`, `discard`, `replay`, `bulk replay`, `bulk discard` or `replay policy`.
    act = models.CharField("what", max_length=30)
    by = models.CharField("who asks", max_length=150)
    at = models.DateTimeField("when")
    reason = models.TextField()
    #: How many messages it is about; of a policy, how many it would replay now.
    messages = models.PositiveIntegerField()
    #: JSON text: what the act is called with.
    arguments = models.TextField()
    state = models.CharField(max_length=20, choices=PendingState)
    decided_by = models.CharField("who decided", max_length=150)
    decided_at = models.DateTimeField("decided", null=True)
    #: What came of it, in words.
    outcome = models.TextField()

    class Meta:
        db_table = "pending_acts"
        verbose_name = "act to approve"
        verbose_name_plural = "acts to approve"
        ordering = ["-at", "-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["-at", "-id"], name="pending_newest")]

    def __str__(self) -> str:
        return f"{self.act} of {self.messages:,} by {self.by}"
