"""A body as a tree: what is in it, and that it is text to the browser."""

from __future__ import annotations

import pytest

from failed_messages.reading.body_tree import tree


def test_every_value_is_there_under_its_name():
    shown = tree(b'{"orderId": "1", "items": [{"sku": "book", "quantity": 2}], "note": null}')

    assert "<span>orderId</span>: <code>&quot;1&quot;</code>" in shown
    assert "<span>items</span> <small>1 item</small>" in shown
    assert "<span>0</span> <small>2 fields</small>" in shown
    assert "<span>quantity</span>: <code>2</code>" in shown
    assert "<span>note</span>: <code>null</code>" in shown


def test_names_and_values_are_text():
    shown = tree(b'{"<script>a": "<script>b", "c": {"<script>d": []}}')

    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"42",
        b"\xff\xfe",
        b"[" * 31 + b"]" * 31,
        b"[" * 100_000 + b"]" * 100_000,
        b"[" + b"1," * 2_000 + b"1]",
        b'{"padding": "' + b"x" * 200_000 + b'"}',
    ],
    ids=["empty", "no JSON", "a number", "no UTF-8", "deep", "very deep", "wide", "large"],
)
def test_what_is_not_a_tree_or_too_large_a_one_has_none(body):
    assert tree(body) == ""


def test_it_says_what_is_written():
    shown = tree(b'{"price": 10.10, "total": "1", "total": "2", "much": 1e400, "none": {}}')

    assert "<code>10.10</code>" in shown
    assert "<code>1e400</code>" in shown
    assert "<code>{}</code>" in shown
    assert shown.count("<span>total</span>") == 2


def test_what_no_page_can_hold_has_none():
    assert tree(b'{"a": "\\ud800"}') == tree(b'{"a": NaN}') == ""
