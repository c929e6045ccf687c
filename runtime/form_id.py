"""What identifies a form of the admin that is open, so that sent twice it does its work once."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpRequest

UUID_CHARACTERS = 36


def field() -> forms.CharField:
    """The form's hidden field: a new id for each form that is opened."""
    return forms.CharField(
        max_length=UUID_CHARACTERS,
        required=False,
        initial=lambda: str(uuid.uuid4()),
        widget=forms.HiddenInput,
    )


def key(request: HttpRequest, form_id: str) -> str:
    """What identifies the form over all that any user has open; empty where it does not say."""
    return f"form {request.user.pk} {form_id}" if form_id else ""
