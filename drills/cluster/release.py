"""A checkout whose processes run, and the programs that they run with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from localservices.pipeline import ROOT


@dataclass(frozen=True, slots=True)
class Release:
    """One of the releases that a site may run."""

    root: Path
    #: The folder with its `python` and its `celery`.
    programs: Path = Path(sys.executable).parent

    @property
    def environment(self) -> dict[str, str]:
        """What its processes need beside their settings."""
        return {"PATH": f"{self.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


THIS = Release(ROOT)
