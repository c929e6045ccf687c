"""The stored record that an operator works on: one message that one service gave up."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.fields import (
    ArrayField,
    ObjectIdField,
)
from django_mongodb_backend.models import EmbeddedModel

from failed_messages.models.reasons import REASON_LABELS
from runtime.embedded_fields import EmbeddedModelArrayField, EmbeddedModelField


class Status(models.TextChoices):
    """What became of a failed message."""

    FAILED = "failed", "Failed"
    REPLAYING = "replaying", "Replaying"
    RESOLVED = "resolved", "Resolved"
    DISCARDED = "discarded", "Discarded"


class Replay(EmbeddedModel):
    """The latest replay of a failed message."""

    #: Travels in the header `replay`, so that the outcome finds its way back.
    id = models.CharField(max_length=36, primary_key=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    #: When the broker confirmed it; None while it is claimed but not yet published.
    published_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()


class Act(EmbeddedModel):
    """One line of a record's history; lines are only ever added."""

    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    act = models.CharField(max_length=30)
    reason = models.TextField()
    detail = models.TextField()

    class Meta:
        default_permissions = ()


#: What the list's filters ask for, behind what it is sorted by.
FILTERED = ("status", "service", "fingerprint", "reason", "type")


class FailedMessage(models.Model):
    """One message that one service gave up, with every death that it died.

    Bodies, headers and certificates come from outside. They are kept as bytes or as JSON text,
    never as documents, because a stored `$` key is an operator in the next query.
    """

    service = models.CharField(max_length=50)
    #: The publisher's, or ours (`no-id-…`) for a message that came without one.
    message_id = models.CharField("message id", max_length=300)
    type = models.CharField(max_length=300)
    correlation_id = models.CharField("correlation id", max_length=300)
    order_id = models.CharField("order id", max_length=300)
    user_id = models.CharField("user id", max_length=300)

    body = models.BinaryField()
    #: The size that the body had when it came.
    body_bytes = models.PositiveBigIntegerField()
    #: True when `body` is only the body's beginning, which cannot be replayed.
    body_cut = models.BooleanField()
    #: SHA-256 of the whole body, in hex: two bodies under one message id are two messages.
    body_digest = models.CharField(max_length=64)
    #: The body's beginning as readable text: indented JSON where it is JSON.
    preview = models.TextField()
    content_type = models.CharField("content type", max_length=300)
    #: JSON text, as the message had them when it died.
    properties = models.TextField()
    headers = models.TextField()

    #: Death certificates as JSON text, newest last.
    certificates = ArrayField(models.TextField())
    #: The ids of all of them: the same death is never stored twice.
    certificate_ids = ArrayField(models.CharField(max_length=100))
    #: True for a message without an id until the broker has our ack.
    unacknowledged = models.BooleanField(null=True)

    # Of the latest death:
    #: The `FailureGroup` that it belongs to.
    fingerprint = models.CharField("group", max_length=16)
    reason = models.CharField(max_length=30, choices=REASON_LABELS)
    exception = models.CharField(max_length=300)
    message = models.CharField("error", max_length=500)
    #: `TimeoutError: card service timed out`: both of them, for a search for words.
    error_text = models.CharField(max_length=802)
    #: Over all deaths.
    attempts = models.PositiveIntegerField()

    status = models.CharField(max_length=20, choices=Status)
    first_failed_at = models.DateTimeField("first failed")
    last_failed_at = models.DateTimeField("last failed")
    replay = EmbeddedModelField(Replay, null=True)
    history = EmbeddedModelArrayField(Act)
    #: The record that this one is an edited copy of.
    parent = ObjectIdField(null=True)
    #: Its own edited copies: such an original is kept for ever.
    edited_as = ArrayField(ObjectIdField())
    #: How often a `ReplayPolicy` has replayed it.
    scheduled_replays = models.PositiveIntegerField()
    #: The latest `ReplayJob` that it is, or was, part of …
    job = ObjectIdField(null=True)
    #: … the `PartState` that it has there, and why.
    job_state = models.CharField(max_length=20)
    job_detail = models.TextField()
    resolved_at = models.DateTimeField("resolved", null=True)
    resolved_by = models.CharField(max_length=150)
    discarded_at = models.DateTimeField("discarded", null=True)
    discarded_by = models.CharField(max_length=150)
    discard_reason = models.TextField()

    class Meta:
        db_table = "failed_messages"
        ordering = ["-last_failed_at", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("replay_failedmessage", "Can replay failed messages"),
            ("edit_failedmessage", "Can edit failed messages and replay the edited copy"),
            ("discard_failedmessage", "Can discard and restore failed messages"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "message_id", "body_digest"], name="one_record_a_message"
            )
        ]
        # Each list is newest first, so that every filter needs the time behind it. What follows
        # the time is another filter's: such a count reads the index and no document.
        indexes = [
            # Ends with the error's text: a search for words reads this index and no document.
            models.Index(
                fields=["-last_failed_at", "-id", "status", "service", "error_text"], name="newest"
            ),
            models.Index(
                fields=["status", "-last_failed_at", "-id", "reason", "type"], name="status_newest"
            ),
            models.Index(
                fields=["service", "status", "-last_failed_at", "-id", "reason", "type"],
                name="service_status_newest",
            ),
            models.Index(
                fields=["service", "-last_failed_at", "-id", "reason", "type"],
                name="service_newest",
            ),
            models.Index(
                fields=["reason", "-last_failed_at", "-id", "service", "status", "type"],
                name="reason_newest",
            ),
            models.Index(fields=["type", "-last_failed_at", "-id"], name="type_newest"),
            models.Index(fields=["fingerprint", "-last_failed_at", "-id"], name="group_newest"),
            # Ends with the order: which ones a group affects is read from this index alone.
            models.Index(
                fields=["fingerprint", "status", "-last_failed_at", "-id", "order_id"],
                name="group_status_newest",
            ),
            # Which orders are held up is read from this index alone.
            models.Index(fields=["service", "status", "type", "order_id"], name="standing"),
            # What the list is also sorted by.
            models.Index(fields=["first_failed_at", "id", *FILTERED], name="first_failed"),
            models.Index(fields=["-attempts", "-id", *FILTERED], name="most_attempts"),
            models.Index(fields=["resolved_at"], name="resolved_at"),
            models.Index(fields=["discarded_at"], name="discarded_at"),
            models.Index(fields=["job", "job_state", "id"], name="job_parts"),
            models.Index(fields=["message_id"], name="message_id"),
            models.Index(fields=["order_id"], name="order_id"),
            models.Index(fields=["user_id"], name="user_id"),
        ]

    def __str__(self) -> str:
        return f"{self.type or 'message'} of {self.service}"
