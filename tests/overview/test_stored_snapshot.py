"""What a snapshot takes over from the one before it; in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory.recounting import Difference
from ordersite.overview import stored_snapshot
from ordersite.overview.snapshot import Deliverer, Snapshot
from tests.overview.snapshots import NOW, but, line, queue, well, with_queues


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


def test_an_order_is_unaccounted_for_since_it_was_first_seen_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Kept()
    monkeypatch.setattr(stored_snapshot, "kept", lambda: kept)

    def unaccounted_since(count: int, seconds: int) -> dict[str, datetime]:
        at, lines = NOW + timedelta(seconds=seconds), (line("billing", unaccounted=count),)
        now: Snapshot = but(at=at, lines=lines)
        monkeypatch.setattr(stored_snapshot, "read", lambda *_: now)
        stored_snapshot.take()
        found = stored_snapshot.loaded(kept.document or {})
        assert found
        return found.unaccounted_since

    assert unaccounted_since(1, 0) == {"billing": NOW}
    assert unaccounted_since(2, 60) == {"billing": NOW}
    assert unaccounted_since(0, 120) == {}
    assert unaccounted_since(1, 180) == {"billing": NOW + timedelta(seconds=180)}


@pytest.mark.parametrize(
    ("quantity", "stored", "consequence"),
    [
        ("available", 6, "Orders may be refused although there are goods."),
        ("available", 14, "Orders may be promised goods that are not there."),
        ("shipped", 6, "add up to 10."),
    ],
)
def test_what_a_difference_of_the_stock_means_is_told(
    quantity: str, stored: int, consequence: str
) -> None:
    said = stored_snapshot.told(Difference("pen", quantity, stored, 10))

    assert said.startswith(f"{stored} are stored as {quantity}, its movements add up to 10.")
    assert said.endswith(consequence)
