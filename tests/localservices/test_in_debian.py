"""What runs on another release of Debian: this checkout as it is, and the command alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT

PROGRAMS = {
    "id": "echo ${ID:-0}",
    "dpkg-query": "echo installed",
    "apt-get": "",
    "apt-config": "",
    "debootstrap": "mkdir -p .local/debian-trixie.new/etc/apt/apt.conf.d",
    "npm": "echo https://npm.example.com/",
    "unshare": """
        cd "$root/srv/ordersite"
        while [ "$1" != bash ]; do shift; done
        shift 4
        "$@"
    """,
}


@pytest.fixture
def checkout(programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a file that is not committed yet, and one that git ignores."""
    for name, script in PROGRAMS.items():
        program = tmp_path / "programs" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    checkout = tmp_path / "checkout"
    for name in ("in_debian.sh", "make_debian.sh", "install_packages.sh"):
        (checkout / "localservices").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "localservices" / name, checkout / "localservices")
    (checkout / ".gitignore").write_text(".local/\n.venv*\n")
    (checkout / "new.txt").touch()
    (checkout / ".venv").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=checkout, check=True)
    return checkout


def in_debian(
    checkout: Path, *command: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "localservices" / "in_debian.sh", "trixie", *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_the_command_runs_in_a_copy_of_what_git_has_or_may_get(checkout: Path) -> None:
    done = in_debian(checkout, "ls", "-A")

    assert done.returncode == 0, done.stderr
    assert {"new.txt", "localservices"} <= {*done.stdout.split()}
    assert ".venv" not in done.stdout.split()


def test_what_was_installed_there_stays_and_what_was_deleted_here_goes(checkout: Path) -> None:
    in_debian(checkout, "mkdir", ".venv", ".local")
    (checkout / "new.txt").unlink()

    left = in_debian(checkout, "ls", "-A").stdout.split()

    assert {".venv", ".local"} <= {*left}
    assert "new.txt" not in left


def test_its_exit_code_is_the_command_s(checkout: Path) -> None:
    assert in_debian(checkout, "sh", "-c", "exit 7").returncode == 7


def test_npm_has_the_registry_of_this_machine_there(checkout: Path) -> None:
    done = in_debian(checkout, "printenv", "npm_config_registry")

    assert done.stdout.splitlines()[-1] == "https://npm.example.com/"


def test_it_needs_root(checkout: Path) -> None:
    refused = in_debian(checkout, "true", ID="1000")

    assert refused.returncode == 1
    assert "sudo" in refused.stderr
