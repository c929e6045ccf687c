"""JSON is shown to a person in its own words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.indented_json import MOST_BYTES, MOST_LEVELS, compact, indented

#: What reading it and writing it again would change.
WORDS = [
    "10.10",
    "1e400",
    "-0.0",
    "1" * 5_000,
    "0.1234567890123456789",
    '"\\u00e9"',
    '"\\/"',
    "1E2",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_value_stays_as_it_was_written(word: str):
    assert indented(f'{{"a":[{word}]}}'.encode()) == f'{{\n  "a": [\n    {word}\n  ]\n}}'
    assert compact(f'{{ "a" : [{word} ] }}'.encode()) == f'{{"a":[{word}]}}'.encode()


def test_both_fields_of_one_name_are_shown():
    assert indented(b'{"total": "1.00", "total": "9.00"}') == (
        '{\n  "total": "1.00",\n  "total": "9.00"\n}'
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b'"\xff"',
        b"[" * 100_000,
        # A text of quotes that never ends: a search that goes back takes hours of it.
        b'"' + b'\\"' * 500_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_what_is_no_json_or_cannot_be_shown_is_left_to_the_caller(body: bytes):
    assert indented(body) is None
    assert compact(body)[:2] == body[:2]


def test_a_small_text_does_not_become_a_large_one():
    """A message of a megabyte, each of whose values would have a thousand blanks."""
    deep = b"[" * 500 + b"0" + b",0" * 400_000 + b"]" * 500
    assert indented(deep) is None
    assert indented(b"[" + b"0," * MOST_BYTES + b"0]") is None
    level = b"[" * MOST_LEVELS + b'"]]]\\"[[["' + b"]" * MOST_LEVELS
    assert len(indented(level) or "") < MOST_LEVELS * MOST_LEVELS * 4


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_it_says_the_same(value: object):
    text = json.dumps(value, ensure_ascii=False)
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    shown = indented(body)
    assert shown is None or json.loads(shown) == value
    assert json.loads(compact(body)) == value
