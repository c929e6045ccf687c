"""The API as it is outside of development, with all that it has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.conftest import closed_api

__all__ = ["closed_api"]


@pytest.fixture(autouse=True)
def webhooks_on(settings: Any) -> None:
    settings.WEBHOOKS = True
