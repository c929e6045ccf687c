"""The page of all settings: what the code reads, with the README's words about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from ordersite.environment import DECLARED, Declared
from ordersite.reference.markdown import code, table

#: What the value is, by the reader that takes it.
KINDS = {
    "str": "text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a decimal",
    "list": "values with commas between them",
    "dict": "pairs with commas between them",
}
README = Path(settings.BASE_DIR) / "README.md"
HEAD = """# Settings

Each is an environment variable. With a wrong value no process starts, and the message shows a right
one. A secret may be in a file: `DJANGO_SECRET_KEY_FILE` names the file with the value of
`DJANGO_SECRET_KEY`, and so on for each.

"""
#: `| `NAME`, `OTHER` | default | meaning |`
ROW = re.compile(
    r"^\| (?P<names>`[A-Z_]+`(?:, `[A-Z_]+`)*)(?:, …)? \| (?P<default>.*?) \| (?P<said>.*) \|$",
    re.M,
)
#: From the README to a file beside it, or to one of its own headings.
LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)]+)\)")


class Said(NamedTuple):
    """What the README says of a setting."""

    default: str
    meaning: str


def page() -> str:
    """The page in Markdown, as it stands in docs/reference/."""
    said = said_in(README.read_text())
    rows = [
        (code(each.name), said[each.name].default, meaning(each, said[each.name].meaning))
        for each in DECLARED.values()
        if each.name in said
    ]
    return HEAD + table(("Setting", "Default", "Meaning"), rows) + "\n"


def meaning(declared: Declared, said: str) -> str:
    """What the README says, with an example of a value that is taken."""
    return f"{said}. Example: {code(declared.example)} ({KINDS[declared.kind]})"


def said_in(readme: str) -> dict[str, Said]:
    """The rows of the README's table, by setting; a row of several has the default of each."""
    found: dict[str, Said] = {}
    for row in ROW.finditer(readme):
        names = re.findall(r"[A-Z_]+", row["names"])
        defaults = row["default"].split(", ") if len(names) > 1 else [row["default"]]
        if len(defaults) < len(names):
            defaults = [row["default"]] * len(names)
        meaning = LINK.sub(moved, row["said"])
        found |= {name: Said(each, meaning) for name, each in zip(names, defaults, strict=False)}
    return found


def moved(link: re.Match[str]) -> str:
    """The link, seen from docs/reference/."""
    target = link["target"]
    return f"](../../README.md{target})" if target.startswith("#") else f"](../../{target})"
