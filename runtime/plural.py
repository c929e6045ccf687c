"""A number with its noun, for people."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 order`, `1,200 orders`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
