"""Django's own password hasher, which computes few passwords at a time.

Each takes a core for a second. A client that sends passwords, right or wrong, would otherwise hold
up every order for it, and 24 at a time for half a minute.
"""

from __future__ import annotations

import os
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import TOO_BUSY

#: The others are for orders.
PLACES = max(1, (os.cpu_count() or 1) // 2)
WAIT_SECONDS = 5

_places = BoundedSemaphore(PLACES)


class HashingIsBusy(Problem):
    """503: others' passwords are computed for longer than a client should wait."""

    problem_type = TOO_BUSY
    wait = 5

    def __init__(self) -> None:
        super().__init__(f"Nothing was tried. Log in again in {self.wait} seconds.")


class FewAtATime(PBKDF2PasswordHasher):
    """What it stores is what Django's own one does."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> Any:
        """Raises HashingIsBusy: there was no place for it in time."""
        if not _places.acquire(timeout=WAIT_SECONDS):
            raise HashingIsBusy
        try:
            return super().encode(password, salt, iterations)
        finally:
            _places.release()
