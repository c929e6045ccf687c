"""Simulated faults, with which a developer sees a service fail and recover."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

LARGEST_BSON_INTEGER = 2**63 - 1


class SimulatedFault(models.Model):
    """A service fails for every event of one user's orders, until this is removed."""

    class Kind(models.TextChoices):
        ERROR = "error", "error: every attempt fails"
        PERMANENT = "permanent", "permanent: the first attempt fails for good"
        SLOW = "slow", "slow: every attempt exceeds the time limit"
        CRASH = "crash", "crash: every attempt kills its worker process"

    service = models.CharField(max_length=100)
    user_id = models.BigIntegerField("user id", help_text="The userId of the orders that fail.")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.ERROR)

    class Meta:
        db_table = "simulated_faults"
        ordering = ["service", "user_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "user_id"],
                name="one_fault_for_a_user",
                violation_error_message="This service already has a fault for this user.",
            )
        ]

    @property
    def url(self) -> str:
        """Its page in the admin."""
        return reverse("admin:simulated_faults_simulatedfault_change", args=[self.pk])

    def __str__(self) -> str:
        return f"{self.service}, user {self.user_id}: {self.kind}"
