"""Freezes the garbage collector in a process that runs for long."""

from __future__ import annotations

import gc


def freeze_garbage_collector() -> None:
    """Freeze the garbage collector: it never visits what is there now (Django, Celery, the apps).

    A collection is otherwise a quarter of what a batch costs its worker. Children that are forked
    later inherit it. https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()
