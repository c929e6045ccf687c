"""The example clients place an order once, whatever becomes of their requests."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.examples.shop import ORDER_ID, shop
from tests.processes import ROOT

CLIENTS = {
    "Python": [sys.executable, "examples/client.py"],
    "Node": [shutil.which("node") or "node", "examples/client.mjs"],
}


def told(client: list[str], address: str) -> str:
    """What the program prints; it is a fault if it fails."""
    done = subprocess.run([*client, address], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_an_order_without_an_answer_is_asked_for_again_with_its_key(client: list[str]) -> None:
    with shop() as (address, keys):
        printed = told(client, address)

    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert "book            12.50 EUR  Book\ntea                 9 JPY  Tea\n" in printed
    assert f"Order {ORDER_ID}: 12.50 EUR\n  placed     billing: waits\n" in printed
    assert "confirmed  billing: invoiced" in printed
    assert "Refused with 422, /problems/not-sold\n  items[0]: 'dragon' is not in" in printed
