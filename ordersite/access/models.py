"""The keys that clients of the API were given."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.fields import ArrayField

from runtime.mongodb_clock import about_now


class ApiKey(models.Model):
    """One key: who holds it and what it may do. Of its secret there is only a hash."""

    #: Part of the key itself, so that a key that is found can be identified.
    id = models.CharField("key", primary_key=True, db_column="_id", max_length=16)
    #: The first key's id, for all that it was rotated to: they are one client.
    client = models.CharField(max_length=16)
    #: Who holds it, in words.
    name = models.CharField(max_length=100)
    #: The customer whose orders alone it is for; null for a shop, which acts for all.
    user_id = models.BigIntegerField("user id", null=True)
    scopes = ArrayField(models.CharField(max_length=40))
    rate = models.PositiveIntegerField("requests a second", null=True)
    #: SHA-256 of the whole key, in hex. 256 random bits need no slow hash.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField("created")
    created_by = models.CharField(max_length=150)
    #: Null for never.
    expires_at = models.DateTimeField("expires", null=True)
    revoked_at = models.DateTimeField("revoked", null=True)
    revoked_by = models.CharField(max_length=150, default="")
    #: To some minutes, see `ordersite.access.keys`.
    last_used_at = models.DateTimeField("last used", null=True)

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        ordering = ["-created_at", "-id"]
        default_permissions = ("view", "change")
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="api_keys_newest"),
            models.Index(fields=["user_id", "-created_at", "-id"], name="api_keys_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`, by MongoDB's clock."""
        if self.revoked_at:
            return "revoked"
        is_over = self.expires_at is not None and self.expires_at <= about_now()
        return "expired" if is_over else "active"
