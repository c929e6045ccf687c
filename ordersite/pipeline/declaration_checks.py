"""Hands the services' declarations to Django's system checks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage

from messaging import declarations
from messaging.handling.handlers import handled_twice, versions_read
from messaging.service import declared, installed_packages


def check_declarations(**_: Any) -> list[CheckMessage]:
    """Every error stops `manage.py` and the workers before they start."""
    return [
        *declarations.errors(declared(), versions_read(), handled_twice),
        *declarations.outside(settings.BASE_DIR, installed_packages()),
        *declarations.without_a_worker(settings.BASE_DIR, declared()),
    ]
