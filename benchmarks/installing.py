"""Installs what the peers run on, each in a folder of its own that git ignores."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from localservices.installing import install

FOLDER = Path(__file__).parent
#: Virtual environments, Node modules, the services' data and the logs.
LOCAL = FOLDER.parent / ".local" / "bench"


def python_of(peer: str) -> Path:
    """The Python of the peer's virtual environment, made from its pinned requirements."""
    requirements = FOLDER / f"requirements-{peer}.txt"
    environment = LOCAL / f"venv-{peer}"
    if _is_outdated(environment / "installed", requirements):
        print(f"Installing the peer {peer} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = [
            str(environment / "bin" / "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, "-r", requirements], check=True)
        (environment / "installed").touch()
    return environment / "bin" / "python"


def node_program(peer: Path) -> Path:
    """A copy of the peer's programs beside their modules, which `npm ci` has installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        install("nodejs", "npm")
    folder = LOCAL / peer.name
    shutil.copytree(peer, folder, dirs_exist_ok=True)
    if _is_outdated(folder / "installed", peer / "package-lock.json"):
        print(f"Installing the peer {peer.name} …", flush=True)
        npm = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(npm, cwd=folder, check=True)
        (folder / "installed").touch()
    return folder


def _is_outdated(installed: Path, pinned: Path) -> bool:
    return not installed.exists() or installed.stat().st_mtime < pinned.stat().st_mtime
