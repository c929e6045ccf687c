"""A JSON body as a tree that folds, its numbers and fields as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from runtime.indented_json import indented

#: A larger, wider or deeper body is shown as text.
LIMIT_BYTES = 200_000
LIMIT_NODES = 2_000
LIMIT_DEPTH = 30

NO_TREE = mark_safe("")


class Number(str):
    """As it is written: 10.10 is not 10.1."""


class Members(list[tuple[str, Any]]):
    """An object's names and values, also where a name is there twice."""


def tree(body: bytes) -> SafeString:
    """The body as nested lists in HTML, all text escaped; empty where it is not such JSON."""
    if len(body) > LIMIT_BYTES:
        return NO_TREE
    # Python's reader takes more: NaN, and lone surrogates, which no page can hold.
    if indented(body) is None:
        return NO_TREE
    value = json.loads(body, object_pairs_hook=Members, parse_int=Number, parse_float=Number)
    if not isinstance(value, list) or _nodes(value, LIMIT_DEPTH) > LIMIT_NODES:
        return NO_TREE
    return format_html('<ul class="fm-tree">{}</ul>', _branch(value))


def _nodes(value: Any, depth: int) -> int:
    """How many values there are in it; more than are shown where it is too deep."""
    if depth == 0:
        return LIMIT_NODES + 1
    return 1 + sum(_nodes(child, depth - 1) for _, child in _children(value))


def _children(value: Any) -> Iterable[tuple[object, Any]]:
    if isinstance(value, Members):
        return value
    return enumerate(value) if isinstance(value, list) else ()


def _branch(value: Any) -> SafeString:
    return format_html_join("", "<li>{}</li>", ((_node(*each),) for each in _children(value)))


def _node(name: object, value: Any) -> SafeString:
    if not isinstance(value, list) or not value:
        return format_html("<span>{}</span>: <code>{}</code>", name, _written(value))
    noun = "field" if isinstance(value, Members) else "item"
    counted = f"{len(value)} {noun}{'' if len(value) == 1 else 's'}"
    return format_html(
        "<details open><summary><span>{}</span> <small>{}</small></summary><ul>{}</ul></details>",
        name,
        counted,
        _branch(value),
    )


def _written(value: Any) -> str:
    if isinstance(value, Number):
        return value
    return "{}" if isinstance(value, Members) else json.dumps(value, ensure_ascii=False)
