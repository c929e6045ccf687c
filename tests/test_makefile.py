"""What `make` does on a machine that lacks something."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("has_npm", [True, False])
def test_without_an_npm_registry_the_tests_run_all_the_same(has_npm: bool, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("cp", "echo", "mkdir", "touch", "uname"):
        (programs / name).symlink_to(shutil.which(name) or name)
    fails = (["npm"] if has_npm else []) + ["install"]
    for name in ("chromium", "nginx", *fails):
        (programs / name).write_text(f"#!/bin/sh\nexit {int(name in fails)}\n")
        (programs / name).chmod(0o755)
    # The recipe copies into `.local` of the folder it runs in.
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).touch()
    shutil.copytree(ROOT / "tests/openapi/typescript", tmp_path / "tests/openapi/typescript")
    (tmp_path / "installed").touch()

    ran = subprocess.run(
        [
            *(shutil.which("make") or "make", "test", "RUN=echo"),
            *(f"INSTALLED={tmp_path / 'installed'}", f"INSTALL_PACKAGES={programs / 'install'}"),
        ],
        cwd=tmp_path,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stderr
    assert "its test will fail" in ran.stderr
    assert "-m pytest" in ran.stdout
