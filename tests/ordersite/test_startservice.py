"""What `startservice` makes is as the house writes it, whatever the service is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from localservices.pipeline import ROOT

#: Before, between and behind the packages that its files import.
NAMES = ("accounts", "parcels", "shipping")
LISTENS = ("order.placed:booked", "inventory.reserved:seen", "billing.invoiced")


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("name", NAMES)
def test_its_files_have_no_fault(name: str, tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path

    call_command("startservice", name, "--listens", *LISTENS)

    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in ("messaging", "runtime"):
        (tmp_path / package).symlink_to(ROOT / package)
    for act in (["check"], ["format", "--check"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *act, name, f"tests/{name}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout


def test_what_no_order_knows_of_leads_to_no_state(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match=r"Did you mean order\.confirmed"):
        call_command("startservice", "shipping", "--listens", "order.confirm:announced")
    assert not [*tmp_path.iterdir()]
