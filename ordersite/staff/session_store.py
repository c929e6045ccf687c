"""Logins of the admin, kept so that whoever reads MongoDB, or a backup, cannot send one.

The browser's cookie has the session's key. What is stored is its SHA-256, as of an API key.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

from runtime.mongodb_clock import mongodb_now


def stored_key(key: str) -> str:
    """By which the session with this key is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


class SessionStore(db.SessionStore):
    """Django's own, whose keys are the browsers' alone."""

    # Django's own write and find the key itself there; these go by the methods below.
    acreate, asave = SessionBase.acreate, SessionBase.asave
    aload, aexists, adelete = SessionBase.aload, SessionBase.aexists, SessionBase.adelete

    def load(self) -> dict[str, Any]:
        assert self.session_key is not None  # as Django loads none without
        found = self._stored(self.session_key).filter(expire_date__gt=mongodb_now()).first()
        if found is None:
            # Nobody chooses the key of a session of theirs.
            self._session_key = None
            return {}
        read: dict[str, Any] = self.decode(found.session_data)
        return read

    @classmethod
    def clear_expired(cls) -> None:
        """By MongoDB's clock: one machine's that is ahead would end all logins."""
        cls.get_model_class().objects.filter(expire_date__lt=mongodb_now()).delete()

    def exists(self, session_key: str) -> bool:
        return self._stored(session_key).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        instance: Session = super().create_model_instance(data)
        instance.session_key = stored_key(instance.session_key)
        return instance

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            self._stored(key).delete()

    def _stored(self, key: str) -> Any:
        return self.get_model_class().objects.filter(session_key=stored_key(key))
