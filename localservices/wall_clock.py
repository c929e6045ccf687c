"""A wall clock for programs, which can be set forward and back while they run.

Debian's libfaketime stands between a program and the system's clock; the program's monotonic clock
stays the system's. https://github.com/wolfcw/libfaketime
"""

from __future__ import annotations

import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path

from localservices.errors import NotInstalled
from localservices.installing import install

#: The one without a mutex: a child that is forked while another thread reads the clock would wait
#: for it for ever.
LIBRARY = Path(f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/faketime/libfaketime.so.1")
#: What Python programs need for it.
SITE = Path(__file__).parent / "under_libfaketime"
#: A program reads its clock's file again after so long.
READ_AGAIN_SECONDS = 1


class WallClock:
    """The clock of every program that is started with `environment`.

    clock = WallClock(folder / "clock")
    start(program, env={**os.environ, **clock.environment})
    clock.set_off(-3_600)
    """

    def __init__(self, file: Path) -> None:
        """Raises NotInstalled: libfaketime could not be installed."""
        if not LIBRARY.exists():
            install("libfaketime")
        if not LIBRARY.exists():
            raise NotInstalled(f"libfaketime is installed, but {LIBRARY} is not there.")
        self._file = file.resolve()
        self._write(0)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(READ_AGAIN_SECONDS),
            # By both of its names: it was renamed.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(SITE),
        }

    def set_off(self, seconds: float) -> None:
        """Let it be so far ahead of the system's clock, or behind it; returns once it is."""
        self.set_together([self], seconds)

    @staticmethod
    def set_together(clocks: Iterable[WallClock], seconds: float) -> None:
        """Set all of them off by so much; returns once they are."""
        for clock in clocks:
            clock._write(seconds)
        time.sleep(READ_AGAIN_SECONDS + 0.5)

    def _write(self, seconds: float) -> None:
        # At once, as a program may read it at any moment.
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+g}\n")
        new.replace(self._file)
