"""What commands print: tables, and untrusted text that does not control the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from io import StringIO
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Of a cell; a program that wants all of it asks for JSON.
CELL_CHARACTERS = 60
#: In a file or a pipe every row is one line.
FILE_CHARACTERS = 10_000


def printable(value: object) -> str:
    """Without the control characters by which untrusted text would control the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in str(value))


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    stdout: TextIO | None = None,
    numbers: Sequence[str] = (),
) -> list[str]:
    """The lines of a table below its heads.

    Args:
        stdout: where it will be printed; as wide as that terminal, and where it is none, or
            None, with one line a row.
        numbers: the heads of the columns that are flush right.
    """
    is_terminal = stdout is not None and stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else FILE_CHARACTERS
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, head in enumerate(heads):
        # The first names the row: it is copied into the next command, so it stays whole.
        justify = "right" if head in numbers else "left"
        drawn.add_column(head, no_wrap=index == 0, overflow="fold", justify=justify)  # type: ignore[arg-type]
    for row in rows:
        drawn.add_row(*map(_cell, row))
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]


def _cell(value: object) -> Text:
    text = " ".join(printable(value).split())
    return Text(text if len(text) <= CELL_CHARACTERS else f"{text[: CELL_CHARACTERS - 1]}…")
