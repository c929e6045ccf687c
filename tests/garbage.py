"""What pytest has collected stays until the end, and is not searched for garbage; a plugin of it.

Some 8,000 tests are a million objects. Searching them was a fifth of the time of the tests that
run in memory.
"""

from __future__ import annotations

import gc

#: Objects made before the youngest are searched: while pytest collects, hardly any are garbage.
WHILE_COLLECTING = 50_000


def pytest_sessionstart() -> None:
    gc.set_threshold(WHILE_COLLECTING)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
