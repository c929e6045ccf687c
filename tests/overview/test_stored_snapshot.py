"""What a snapshot takes over from the one before it; in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ordersite.overview import stored_snapshot
from ordersite.overview.snapshot import Deliverer, Snapshot
from tests.overview.snapshots import NOW, but, queue, well, with_queues


class Kept:
    """MongoDB's collection, of which one document matters here."""

    def __init__(self) -> None:
        self.document: dict[str, Any] | None = None

    def find_one(self, _: Any) -> dict[str, Any] | None:
        return self.document

    def replace_one(self, _: Any, document: dict[str, Any], upsert: bool) -> None:
        self.document = document


def test_a_queue_is_filled_since_it_was_last_seen_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    monkeypatch.setattr(stored_snapshot, "kept", lambda: kept)

    def filled_since(messages: int, seconds: int) -> dict[str, Any]:
        at = NOW + timedelta(seconds=seconds)
        now: Snapshot = but(at=at, queues=with_queues(queue("billing.dlq", messages)))
        monkeypatch.setattr(stored_snapshot, "read", lambda *_: now)
        stored_snapshot.take()
        found = stored_snapshot.loaded(kept.document or {})
        assert found
        return found.filled_since

    assert filled_since(3, 0) == {"billing.dlq": NOW}
    assert filled_since(1, 5) == {"billing.dlq": NOW}
    assert filled_since(0, 10) == well().filled_since == {}
    assert filled_since(1, 15) == {"billing.dlq": NOW + timedelta(seconds=15)}


def test_a_deliverer_was_last_seen_when_one_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    monkeypatch.setattr(stored_snapshot, "kept", lambda: kept)

    def seen(living: int, seconds: int) -> datetime | None:
        now: Snapshot = but(at=NOW + timedelta(seconds=seconds), deliverer=Deliverer(living))
        monkeypatch.setattr(stored_snapshot, "read", lambda *_: now)
        stored_snapshot.take()
        found = stored_snapshot.loaded(kept.document or {})
        assert found
        return found.deliverer_seen

    lived = NOW + timedelta(seconds=5)
    assert [seen(0, 0), seen(1, 5), seen(0, 10)] == [None, lived, lived]
