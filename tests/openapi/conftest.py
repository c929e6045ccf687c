"""The API as it is outside of development."""

from tests.security.conftest import closed_api

__all__ = ["closed_api"]
