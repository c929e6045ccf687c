"""Tables on a terminal and in a file."""

from __future__ import annotations

from io import StringIO

import pytest

from runtime.terminal import CELL_CHARACTERS, printable, table

ID = "6b0b5a8d44dc08c3faaae03f"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_columns_stand_below_their_heads_and_numbers_are_flush_right() -> None:
    rows = [("book", "available", 5), ("headphones", "reserved", 12345)]

    assert table(("SKU", "quantity", "stored"), rows, numbers=("stored",)) == [
        "SKU         quantity   stored",
        "book        available       5",
        "headphones  reserved    12345",
    ]


def test_a_row_is_one_line_in_a_file_however_long_a_cell_is() -> None:
    _, line = table(("id", "error"), [(ID, "down\n" * 100)])

    assert line.startswith(f"{ID}  down down ")
    assert line.endswith("…")
    assert len(line) == len(ID) + 2 + CELL_CHARACTERS


def test_on_a_narrow_terminal_the_id_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = table(("id", "error"), [(ID, "the card service is down")], stdout=Terminal())

    assert lines[1].startswith(ID)
    assert max(map(len, lines)) <= 40
    assert " ".join(line[len(ID) :].strip() for line in lines[1:]) == "the card service is down"


def test_untrusted_text_is_text() -> None:
    [_, line] = table(("id", "error"), [(ID, "[bold]a[/bold] :smile: \x1b[31m\x07b")])

    assert line == f"{ID}  [bold]a[/bold] :smile: \ufffd[31m\ufffdb"
    assert printable("a\x1b]0;b\x07\n") == "a\ufffd]0;b\ufffd\n"
