"""The release before this one, as it was: out of Git's history, with the packages that it pins."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from drills.cluster.release import THIS, Release
from localservices.pipeline import ROOT

VERSION = "0.1.0"
#: The last one with that version; a release that comes after this one changes both.
REVISION = "d676f396f1f3a1415748cccc8e69a323a5123651"
FOLDER = ROOT / ".local" / "previous-release"

PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)


class NotInHistory(Exception):
    """This clone does not have the previous release's revision."""


def previous_release() -> Release:
    """Check it out, and install its packages where others are installed here; once.

    Raises:
        NotInHistory: this clone has only a part of the history, or none.
    """
    root = FOLDER / f"{VERSION}-{REVISION[:12]}"
    if not root.exists():
        check_out(root)
    pinned = dict(PIN.findall((root / "requirements.txt").read_text()))
    return Release(root, THIS.programs if are_installed(pinned) else own_programs(root))


def check_out(folder: Path) -> None:
    """Write the revision's files into the folder, which appears once all of them are there."""
    archived = subprocess.run(["git", "archive", REVISION], cwd=ROOT, capture_output=True)
    if archived.returncode:
        raise NotInHistory(
            f"The previous release, {VERSION}, is the revision {REVISION}, and Git has not got it "
            f"here ({archived.stderr.decode().strip()}). In a shallow clone: git fetch --unshallow"
        )
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    # Python's own `tarfile` asks for a filter, which Debian 12's Python may not know.
    subprocess.run(["tar", "-x", "-C", unfinished], input=archived.stdout, check=True)
    unfinished.rename(folder)


def are_installed(pinned: Mapping[str, str]) -> bool:
    """Whether these packages are here, in these versions."""
    try:
        return all(version(name) == wanted for name, wanted in pinned.items())
    except PackageNotFoundError:
        return False


def own_programs(root: Path) -> Path:
    """A virtual environment with the checkout's packages, made once."""
    programs, installed = root / ".venv/bin", root / ".venv/installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", root / ".venv"], check=True)
        subprocess.run(
            [programs / "python", "-m", "pip", "install", "-qr", root / "requirements.txt"],
            check=True,
        )
        installed.touch()
    return programs
