"""Installing packages, with an apt-get that refuses to run twice at once, as the real one does."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from localservices.installing import SCRIPT

PROGRAMS = {
    "id": "echo 0",
    "tee": "cat",
    "chmod": "",
    "dpkg-query": '[ -e "$FOLDER/installed" ] && echo installed',
    "apt-get": """
        mkdir "$FOLDER/lock" || exit 100
        sleep 0.1
        case "$*" in *" install "*) touch "$FOLDER/installed" ;; esac
        rmdir "$FOLDER/lock"
    """,
}


@pytest.fixture
def debian(programs: None, tmp_path: Path) -> dict[str, str]:
    """The environment of a machine where nothing is installed yet."""
    for name, script in PROGRAMS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "FOLDER": str(tmp_path)}


def test_several_processes_may_ask_for_a_package_at_once(debian: dict[str, str]) -> None:
    asking = [
        subprocess.Popen([SCRIPT, "a-package"], env=debian, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    said = [each.communicate(timeout=30)[0] for each in asking]

    assert [each.returncode for each in asking] == [0, 0, 0]
    assert sorted(said) == ["", "", "Installing a-package …\n"]


def test_where_nothing_can_be_installed_it_says_what_is_missing(debian: dict[str, str]) -> None:
    """macOS has neither apt-get nor flock."""
    folder = Path(debian["FOLDER"])
    (folder / "apt-get").unlink()
    for name in ("bash", "cat", "touch"):
        (folder / name).symlink_to(shutil.which(name))

    result = subprocess.run(
        [SCRIPT, "rabbitmq-server"],
        env={**debian, "PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("Not installed: rabbitmq-server. Install what your system")
