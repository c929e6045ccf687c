"""A copy of the checkout, in which a drill or a test changes the pipeline's code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

from localservices.pipeline import ROOT, process_environment

SETTINGS = Path("ordersite/settings.py")


def copy_to(folder: Path) -> Path:
    """Copy what a clone would have into the folder, which must not be there; returns it.

    What Python has compiled of it goes along: a dozen processes at once would compile it anew.
    """
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in listed.splitlines():
        copy(ROOT / name, folder / name)
        if name.endswith(".py"):
            copy(Path(cache_from_source(ROOT / name)), Path(cache_from_source(folder / name)))
    return folder


def copy(file: Path, to: Path) -> None:
    if file.is_file():
        to.parent.mkdir(parents=True, exist_ok=True)
        # Its time, too, by which Python knows what it has compiled.
        shutil.copy2(file, to)


def install(checkout: Path, line: str) -> None:
    """Add a service's line to the checkout's settings, behind the other services'."""
    before, last, after = (checkout / SETTINGS).read_text().partition('    "billing",\n')
    assert last, f'{SETTINGS} has no line "billing"'
    (checkout / SETTINGS).write_text(f"{before}{last}{line}\n{after}")


def start_service(checkout: Path, name: str, listens: str) -> None:
    """Make a service in the checkout with `startservice`, and install it."""
    command = ["manage.py", "startservice", name, "--listens", listens]
    # It asks for the settings, and for no service behind them.
    subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env={**process_environment(), "DJANGO_DEBUG": "true"},
        check=True,
        capture_output=True,
    )
    install(checkout, f'    "{name}",')
