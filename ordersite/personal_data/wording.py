"""What became of a person's data, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtime.personal_data import Erased


def sentences(outcome: Mapping[str, Erased]) -> Iterator[str]:
    """A line for each kind of data of which there was anything."""
    for name, each in outcome.items():
        parts = [f"{each.erased} erased"] if each.erased else []
        parts += [f"{each.kept} kept"] if each.kept else []
        parts += [f"{each.left} left for the scheduler"] if each.left else []
        if parts:
            yield f"{name}: {', '.join(parts)}{f' ({each.why})' if each.why else ''}"
    if not any(each.erased or each.kept or each.left for each in outcome.values()):
        yield "There is nothing of this user."
