"""The audit log: who did what. Entries are only ever added."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class Subject(models.TextChoices):
    """What an act was about."""

    MESSAGE = "message", "Message"
    GROUP = "group", "Group"
    JOB = "job", "Bulk replay"
    POLICY = "policy", "Replay policy"
    RESTORE = "restore", "Restored backup"
    #: What somebody asked for and was denied.
    REQUEST = "request", "Request"
    #: An act that waits for a second person.
    PENDING = "pending", "Act to approve"
    #: Whose data were given out or erased.
    PERSON = "person", "Person"
    KEY = "key", "API key"
    #: A message that waits for its next attempt.
    RETRY = "retry", "Waiting retry"
    DISCARD_JOB = "bulk discard", "Bulk discard"
    #: A member of the staff: permissions, password, second factor.
    USER = "user", "User"
    #: A group of permissions.
    ROLE = "role", "Role"
    #: What the staff did with it.
    ORDER = "order", "Order"


class AppendOnly(TypeError):
    """An audit entry was about to be changed or deleted."""


class AppendOnlyQuerySet(models.QuerySet):
    """Reads only: the product cannot change or delete entries."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly(
            "the audit log is append-only: add an entry with failed_messages.records.audit"
        )

    update = delete = create = bulk_create = bulk_update = _refuse
    get_or_create = update_or_create = _raw_delete = _refuse


class AuditEntry(models.Model):
    """One act of one person, or of the product on its own."""

    at = models.DateTimeField("when")
    by = models.CharField("who", max_length=150)
    act = models.CharField("what", max_length=30)
    subject = models.CharField(max_length=20, choices=Subject)
    subject_id = models.CharField(max_length=100)
    reason = models.TextField()
    #: JSON text: what the act changed, as it was and as it is since.
    before = models.TextField()
    after = models.TextField()

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "failed_messages_audit"
        verbose_name = "audit entry"
        verbose_name_plural = "audit log entries"
        ordering = ["-at", "-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["subject", "-at", "-id"], name="audit_subject"),
            models.Index(fields=["subject_id", "-at", "-id"], name="audit_subject_id"),
            models.Index(fields=["by", "-at", "-id"], name="audit_by"),
            models.Index(fields=["act", "-at", "-id"], name="audit_act"),
        ]

    def __str__(self) -> str:
        return f"{self.act} of {self.subject} {self.subject_id}"

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly(
            "the audit log is append-only: add an entry with failed_messages.records.audit"
        )

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("the audit log is append-only: nothing deletes its entries")
