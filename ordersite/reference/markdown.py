"""Parts of a page in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a line break in a cell becomes a blank, and a bar stays a bar."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """The site's Markdown ends no cell at a bar in code, and shows a backslash there."""
    parts = " ".join(text.split()).replace("\\|", "|").split("`")
    return "`".join(each if at % 2 else each.replace("|", "\\|") for at, each in enumerate(parts))


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def json_block(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"
