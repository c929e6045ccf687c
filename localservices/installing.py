"""Installs programs that are not in Python packages."""

from __future__ import annotations

import subprocess
from pathlib import Path

from localservices.errors import NotInstalled

SCRIPT = Path(__file__).parent / "install_packages.sh"


def install(*packages: str) -> None:
    """Install Debian packages, as root or with a sudo that asks for no password.

    Raises:
        NotInstalled: that was not possible; the text says what to install by hand.
    """
    result = subprocess.run([SCRIPT, *packages], stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise NotInstalled(result.stderr.strip())
