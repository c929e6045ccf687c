"""What a process that will run for long does once it has loaded what it needs."""

from __future__ import annotations

import gc


def keep_for_good() -> None:
    """Let no garbage collection visit what is there now: Django, Celery and the code of the apps.

    A collection is otherwise a quarter of what a batch costs its worker. Children that are forked
    later inherit it. https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()
