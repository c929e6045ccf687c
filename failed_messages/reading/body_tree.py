"""A JSON body as a tree that folds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

#: A larger, wider or deeper body is shown as text.
LIMIT_BYTES = 200_000
LIMIT_NODES = 2_000
LIMIT_DEPTH = 30

NO_TREE = mark_safe("")


def tree(body: bytes) -> SafeString:
    """The body as nested lists in HTML, all text escaped; empty where it is not such JSON."""
    if len(body) > LIMIT_BYTES:
        return NO_TREE
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return NO_TREE
    if not isinstance(value, dict | list) or _nodes(value, LIMIT_DEPTH) > LIMIT_NODES:
        return NO_TREE
    return format_html('<ul class="fm-tree">{}</ul>', _branch(value))


def _nodes(value: Any, depth: int) -> int:
    """How many values there are in it; more than are shown where it is too deep."""
    if depth == 0:
        return LIMIT_NODES + 1
    return 1 + sum(_nodes(child, depth - 1) for _, child in _children(value))


def _children(value: Any) -> Iterable[tuple[object, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _branch(value: Any) -> SafeString:
    return format_html_join("", "<li>{}</li>", ((_node(*each),) for each in _children(value)))


def _node(name: object, value: Any) -> SafeString:
    if not isinstance(value, dict | list) or not value:
        text = json.dumps(value, ensure_ascii=False)
        return format_html("<span>{}</span>: <code>{}</code>", name, text)
    noun = "field" if isinstance(value, dict) else "item"
    counted = f"{len(value)} {noun}{'' if len(value) == 1 else 's'}"
    return format_html(
        "<details open><summary><span>{}</span> <small>{}</small></summary><ul>{}</ul></details>",
        name,
        counted,
        _branch(value),
    )
