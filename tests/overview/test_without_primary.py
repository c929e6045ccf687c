"""Members of MongoDB that answer, and of which none is the primary; in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.hello import Hello
from pymongo.server_description import ServerDescription
from pymongo.synchronous.settings import TopologySettings
from pymongo.topology_description import TOPOLOGY_TYPE, TopologyDescription

from ordersite.pipeline import health

MEMBER = ("member", 27017)
SET = {"ok": 1, "setName": "rs0", "hosts": ["member:27017"], "maxWireVersion": 17}


@pytest.mark.parametrize(
    ("says", "lacks_primary"),
    [
        ({**SET, "secondary": True}, True),
        ({**SET, "isWritablePrimary": True}, False),
        (None, False),
    ],
)
def test_members_that_answer_without_a_primary(
    monkeypatch: pytest.MonkeyPatch, says: dict[str, Any] | None, lacks_primary: bool
) -> None:
    hello = None if says is None else Hello({"minWireVersion": 0, **says})
    is_primary = bool(says and "isWritablePrimary" in says)
    kind = getattr(TOPOLOGY_TYPE, f"ReplicaSet{'With' if is_primary else 'No'}Primary")
    members = {MEMBER: ServerDescription(MEMBER, hello, 0.001)}
    known = TopologyDescription(kind, members, "rs0", None, None, TopologySettings())
    client = SimpleNamespace(topology_description=known)
    database = SimpleNamespace(client=client)
    monkeypatch.setattr(health, "connection", SimpleNamespace(get_database=lambda: database))

    assert health.lacks_primary() is lacks_primary
