"""A client whose types openapi-typescript made of the document, as docs/clients.md shows it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.db import connection

from tests.openapi.prepared import shop
from tests.processes import ROOT, Processes
from tests.security.conftest import secret

#: What `make test` installs of tests/openapi/typescript/package.json.
PACKAGES = ROOT / ".local/typescript/node_modules"
COMPILE = ("tsc", "--strict", "--module", "nodenext", "--target", "es2022")
PATIENCE_SECONDS = 600


def run(*command: str, folder: Path, ends_with: int = 0) -> str:
    """What a program prints; it is a fault if it ends in another way."""
    path = f"{PACKAGES / '.bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == ends_with, printed
    return printed


def program_of_the_page(address: str, key: str) -> str:
    [program] = re.findall(r"```ts\n(.+?)```", (ROOT / "docs/clients.md").read_text(), re.DOTALL)
    return f'const key = "{key}";\n{program}'.replace("https://orders.example.com", address)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # npm writes this file when all of them are there.
    assert (PACKAGES / ".package-lock.json").exists(), (
        "The packages of tests/openapi/typescript are not installed. `make test` does that, and "
        "says why it cannot: is the npm registry reached that `npm config get registry` names?"
    )
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def test_the_pages_program_places_an_order_and_is_told_of_a_wrong_one(
    processes: Processes, folder: Path
) -> None:
    shop()
    address = processes.start_web()
    program = program_of_the_page(address, secret("orders:place", user_id=101))
    run("openapi-typescript", f"{address}/openapi.json", "-o", "api.d.ts", folder=folder)
    (folder / "order.ts").write_text(program)
    (folder / "wrong.ts").write_text(program.replace("quantity: 2", 'quantity: "two"'))

    # The compiler makes the programs all the same, once for both, as it takes long.
    told = run(*COMPILE, "order.ts", "wrong.ts", folder=folder, ends_with=2)
    placed = run("node", "order.js", folder=folder).split()
    compiled = (folder / "order.js").read_text()
    (folder / "order.js").write_text(compiled.replace('"book"', '"dragon"'))
    refused = run("node", "order.js", folder=folder)

    [error] = [line for line in told.splitlines() if "error TS" in line]
    assert error.startswith("wrong.ts")
    assert "Type 'string' is not assignable to type 'number'" in error
    [order] = connection.database["orders"].find()
    assert placed == [str(order["_id"]), "4.50"]
    assert "/problems/not-sold" in refused
