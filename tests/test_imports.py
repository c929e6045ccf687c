"""What a process imports that answers no requests: each import costs it time and memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT

#: What the relay, the archiver, the scheduler and the workers import.
START = """
import sys
import django; django.setup()
import celery_app, orders.outbox.relay, failed_messages.archiving.archiver
import ordersite.pipeline.scheduler
celery_app.app.loader.import_default_modules()
print(*sys.modules)
"""
#: What only who answers a request needs.
OF_REQUESTS = ("rest_framework.views", "rest_framework.parsers", "reportlab", "ordersite.urls")


@pytest.mark.usefixtures("programs")
def test_what_answers_no_requests_does_without_views_and_pages() -> None:
    started = subprocess.run(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "ordersite.settings"},
        capture_output=True,
        text=True,
    )
    assert started.returncode == 0, started.stderr
    imported = started.stdout.split()

    assert "inventory.tasks" in imported
    assert [name for name in OF_REQUESTS if name in imported] == []
    assert [name for name in imported if name.endswith(".admin") and "django" not in name] == []


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("start", ["celery_app", "ordersite.asgi", "ordersite.wsgi", "manage"])
def test_a_shell_of_another_project_has_no_effect(start: str) -> None:
    """Who works on another Django project often has its settings' name in every shell."""
    started = subprocess.run(
        [sys.executable, "-m", start, "diffsettings"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "another_project.settings"},
        capture_output=True,
        text=True,
    )

    assert started.returncode == 0, started.stderr
    assert start != "manage" or "SETTINGS_MODULE = 'ordersite.settings'" in started.stdout
