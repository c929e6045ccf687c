"""What `startservice` makes is as the house writes it, whatever the service is called."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from localservices.pipeline import ROOT

LISTENS = ("order.placed:booked", "inventory.reserved:seen", "billing.invoiced")
LONG = "declarations_to_the_customs_of_a_country"


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("name", "listens"),
    [
        # Before, between and behind the packages that its files import.
        ("accounts", LISTENS),
        ("parcels", LISTENS),
        ("shipping", LISTENS),
        (LONG, (*LISTENS, "order.confirmed:declared_to_customs")),
        # Without a state, it publishes nothing.
        ("accounts", ("billing.credited",)),
        ("shipping", ("billing.credited",)),
    ],
)
def test_its_files_have_no_fault(
    name: str, listens: tuple[str, ...], tmp_path: Path, settings: Any
) -> None:
    settings.BASE_DIR = tmp_path

    call_command("startservice", name, "--listens", *listens)

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


@pytest.mark.usefixtures("programs")
def test_it_takes_an_order_as_the_other_services_do(tmp_path: Path, settings: Any) -> None:
    """A foreign publisher may write a number, and our id in capitals."""
    settings.BASE_DIR = tmp_path
    call_command("startservice", "parcels", "--listens", *LISTENS)

    assert read_by("parcels", tmp_path, {"orderId": 12, "userId": 7}) == "12"
    ours = "6743A1B2C3D4E5F60718293A"
    assert read_by("parcels", tmp_path, {"orderId": ours, "userId": 7}) == ours.lower()


def read_by(service: str, root: Path, body: dict[str, Any]) -> str:
    """The order's id, as the new service reads it."""
    reads = f"from {service}.order_in_message import read; print(read({body}).order_id)"
    ran = subprocess.run(
        [sys.executable, "-c", reads],
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.usefixtures("programs")
def test_what_needs_no_database_is_tested_in_memory(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path

    call_command("startservice", "parcels", "--listens", *LISTENS)

    tests = (tmp_path / "tests/parcels/test_tasks.py").read_text()
    with_services = re.findall(r'@pytest.mark.usefixtures\("clean"\)\ndef (\w+)', tests)
    assert with_services == [
        "test_on_order_placed_is_done_once",
        "test_on_inventory_reserved_is_done_once",
    ]
    assert "pytestmark" not in tests


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my-shipping", "Try my_shipping"),
        ("Shipping", "Try shipping"),
        ("2go", "a lower-case letter"),
        ("class", "a word of Python"),
        ("relay", "the name of a process or queue"),
        ("undeliverable", "the name of a process or queue"),
        ("order", "order_events"),
        ("staff", "an app of this name"),
        ("polling", "tests/polling.py"),
        ("kombu", "a module of this name"),
        ("s" * 51, "at most 50"),
    ],
)
def test_a_name_that_would_not_work_is_refused_at_once(
    name: str, words: str, tmp_path: Path, settings: Any
) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/polling.py").touch()

    with pytest.raises(CommandError, match=re.escape(words)):
        call_command("startservice", name, "--listens", "order.confirmed:announced")
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("listens", "words"),
    [
        (["order.confirmed:Foo-bar"], "a state is"),
        (["order.confirmed:pending"], "before its first state"),
        (["order.placed:a", "order.confirmed:b", "order.placed:c"], "order.placed is named twice"),
    ],
)
def test_a_state_that_would_not_work_is_refused_at_once(
    listens: list[str], words: str, tmp_path: Path, settings: Any
) -> None:
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match=re.escape(words)):
        call_command("startservice", "shipping", "--listens", *listens)
    assert not [*tmp_path.iterdir()]


def test_the_state_of_a_later_event_is_the_later_one(tmp_path: Path, settings: Any) -> None:
    """Else `handled` would stand in for `announced`, and nobody saw a lost order.confirmed."""
    settings.BASE_DIR = tmp_path
    types = (
        "order.cancelled:called_off",
        "inventory.shipped:followed",
        "order.confirmed:announced",
        "billing.invoiced:billed",
        "order.placed",
    )

    call_command("startservice", "shipping", "--listens", *types)

    declared = (tmp_path / "shipping/service.py").read_text()
    assert re.findall(r'Event\(\s*"shipping\.(\w+)"', declared) == [
        "handled",
        "billed",
        "announced",
        "called_off",
        "followed",
    ]


def test_what_no_order_knows_of_leads_to_no_state(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match=r"Did you mean order\.confirmed"):
        call_command("startservice", "shipping", "--listens", "order.confirm:announced")
    assert not [*tmp_path.iterdir()]
