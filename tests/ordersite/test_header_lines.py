"""The lines of a head: one for each field, however a proxy has written them."""

from __future__ import annotations

from runtime.requests.header_lines import joined


def test_what_is_there_once_stays_but_for_the_blanks_around_it() -> None:
    lines = [(b"host", b"localhost"), (b"idempotency-key", b"\ta b "), (b"x-empty", b" ")]

    assert joined(lines) == [
        (b"host", b"localhost"),
        (b"idempotency-key", b"a b"),
        (b"x-empty", b""),
    ]


def test_lines_of_the_same_field_are_one() -> None:
    lines = [
        *((b"accept", b"a"), (b"cookie", b"a=1"), (b"content-type", b"text/csv")),
        *((b"accept", b"b "), (b"cookie", b"b=2"), (b"content-type", b" text/csv")),
    ]

    assert joined(lines) == [
        (b"accept", b"a,b"),
        (b"cookie", b"a=1; b=2"),
        (b"content-type", b"text/csv"),
    ]


def test_different_content_types_stay_different() -> None:
    assert joined([(b"content-type", b"a/b"), (b"content-type", b"c/d")]) == [
        (b"content-type", b"a/b,c/d")
    ]


def test_a_name_that_wsgi_would_take_for_another_is_left_out() -> None:
    assert joined([(b"content_length", b"3"), (b"host", b"a")]) == [(b"host", b"a")]
