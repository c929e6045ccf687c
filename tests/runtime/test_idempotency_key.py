"""A key is the same in quotes, as the draft of its standard writes it, and without."""

from __future__ import annotations

import pytest

from runtime.requests.idempotency_key import read
from runtime.requests.refusal import Refusal


def key_of(header: str) -> str:
    return read(header, "Nothing was done", "a UUID", 10)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        *((form, "k") for form in ("k", '"k"', ' "k" ', '"k", "k"', "k,k")),
        (r'"a\"b"', 'a"b'),
        (r'"a\\b"', r"a\b"),
        # No strings of RFC 9651: each is what it is.
        *((text, text) for text in ('"k', 'k"', '"', '"k";a=1', r'"a\b"', "'k'")),
    ],
)
def test_quotes_are_no_part_of_a_key(header: str, key: str) -> None:
    assert key_of(header) == key


@pytest.mark.parametrize("header", ["", '""', '"' + "k" * 11 + '"', '"a", "b"'])
def test_what_is_in_the_quotes_has_to_be_a_key(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        key_of(header)

    assert refused.value.errors[0]["field"] == "Idempotency-Key"
