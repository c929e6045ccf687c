"""A key's document that another program has changed: what only tells of the key is no obstacle."""

from __future__ import annotations

from typing import Any

import pytest

from ordersite.access import keys
from ordersite.access.models import ApiKey


class Stored:
    """A collection that holds one key."""

    def __init__(self, **changed: Any) -> None:
        id_, self.key = keys.new_secret()
        decides = {"client": id_, "digest": keys.digest(self.key), "scopes": ["orders:read"]}
        nulls = dict.fromkeys(("user_id", "rate", "expires_at", "revoked_at"))
        self._document = {"_id": id_, **decides, **nulls, **changed}

    def __call__(self) -> Stored:
        return self

    def find_one(self, _: dict[str, Any]) -> dict[str, Any]:
        return self._document


@pytest.mark.parametrize("name", sorted(keys.TELLS))
@pytest.mark.parametrize("strange", ["yesterday", 7, True, None, ["x"]])
def test_what_tells_of_a_key_is_as_if_it_were_not_there(
    name: str, strange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Stored(**{name: strange})
    monkeypatch.setattr(keys, "api_keys", stored)

    record = keys.find(stored.key)

    assert record is not None
    if not isinstance(strange, keys.TELLS[name]):
        assert getattr(record, name) == getattr(ApiKey(), name)


def test_each_field_decides_or_tells() -> None:
    fields = {each.column for each in ApiKey._meta.concrete_fields if not each.primary_key}
    assert keys.DECIDES.keys() | keys.TELLS.keys() == fields
