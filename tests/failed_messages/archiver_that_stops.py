"""An archiver that the kernel stops (SIGSTOP) once it has stored a message, before its ack.

    python -m tests.failed_messages.archiver_that_stops

Where it stops is the one thing that differs from `python manage.py archiver`: the window is far
too short for a test to meet it from outside.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import django
from django.core.management import call_command

django.setup()

from failed_messages.archiving import archive  # noqa: E402  (Django's models come after its set-up)

store = archive.store


def store_and_stop(*arguments: Any) -> archive.Stored:
    stored = store(*arguments)
    os.kill(os.getpid(), signal.SIGSTOP)
    return stored


if __name__ == "__main__":
    archive.store = store_and_stop
    call_command("archiver")
