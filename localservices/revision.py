"""The git revision of this working tree, which measurements are stored with."""

from __future__ import annotations

import subprocess

from localservices.pipeline import ROOT


def git(*arguments: str) -> str:
    """What git prints, without the end of the last line; empty where it fails."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
