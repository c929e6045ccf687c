"""What is imported before the processes are forked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from localservices.pipeline import ROOT
from ordersite.forking.preloading import MODULES

WITH_ANOTHER_RELEASE = """
import sys
from ordersite.forking import preloading
preloading.MODULES = ("celery.of_another_release", "msgspec.json")
preloading.preload()
print("msgspec.json" in sys.modules)
"""


@pytest.mark.usefixtures("programs")
def test_a_release_without_one_of_the_modules_is_no_reason_not_to_start() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITH_ANOTHER_RELEASE], cwd=ROOT, capture_output=True, text=True
    )

    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr


@pytest.mark.usefixtures("programs")
def test_the_releases_that_are_installed_have_each_module() -> None:
    """Else every process would import it for itself, and nobody saw why they take more memory."""
    importing = f"from importlib import import_module\nfor each in {MODULES}: import_module(each)"
    ran = subprocess.run(
        [sys.executable, "-c", importing], cwd=ROOT, capture_output=True, text=True
    )

    assert ran.returncode == 0, ran.stderr
