"""What is kept of the staff beside Django's users."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.fields import ObjectIdField


class SecondFactor(models.Model):
    """A user's secret for codes that change with time."""

    user = ObjectIdField(primary_key=True, db_column="_id")
    #: Encrypted, see `runtime.stored_secret`; in base 32, as apps take it.
    secret = models.CharField(max_length=200)
    #: Only then does a login need a code.
    confirmed = models.BooleanField()
    #: Of the code that was used last, which no one uses again.
    last_step = models.BigIntegerField()
    #: Wrong codes since a right one.
    wrong = models.PositiveIntegerField()
    wrong_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_second_factors"
        default_permissions = ()


class ProviderAccount(models.Model):
    """Which account of the OpenID Connect provider a user has.

    Issuer and subject alone never change and are never given to somebody else.
    https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
    """

    user = ObjectIdField(primary_key=True, db_column="_id")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)

    class Meta:
        db_table = "staff_provider_accounts"
        default_permissions = ()
