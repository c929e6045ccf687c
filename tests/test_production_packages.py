"""`requirements.txt` alone runs production: nothing of what development has beside it is needed."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.db import connection

from localservices.pipeline import procfile
from tests.journeys.api import Api
from tests.linked_environment import make_environment
from tests.processes import ROOT, Processes


@pytest.fixture(scope="module")
def production_programs(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has only the packages of production."""
    folder = tmp_path_factory.mktemp("production")
    return make_environment(folder, ROOT / "requirements.txt")


def test_product_code_imports_only_what_production_installs() -> None:
    installed = set(re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements.txt").read_text()))
    owners = packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)} imports {package}"
        for path in product_files()
        for package in imported_packages(path)
        if package in owners and not installed & {normal(each) for each in owners[package]}
    }
    assert missing == set()


def test_every_package_is_pinned_with_its_hashes() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"(?m)^(?=[\w.-]+==)", (ROOT / lock).read_text())[1:]
        assert entries
        assert [each.split()[0] for each in entries if "--hash=sha256:" not in each] == []


@pytest.mark.usefixtures("programs")
def test_one_command_lists_what_production_installs(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text().partition("sbom: ")[2].partition(".PHONY")[0]
    command = recipe.partition("$(RUN)")[2].replace("\\\n", " ").replace("sbom.json", "{}")
    file = tmp_path / "sbom.json"
    subprocess.run(
        [sys.executable, *command.format(file).split()], cwd=ROOT, check=True, capture_output=True
    )

    listed = json.loads(file.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    names = {f"{each['name']}=={each['version']}" for each in listed["components"]}
    pinned = re.findall(r"(?m)^([\w.-]+==[^\s\\]+)", (ROOT / "requirements.txt").read_text())
    assert names == set(pinned)


def product_files() -> Iterator[Path]:
    """What the image of the Dockerfile runs: all Python files but those of development."""
    development = {"benchmarks", "drills", "examples", "localservices", "tests"}
    for path in ROOT.glob("*/**/*.py"):
        top = path.relative_to(ROOT).parts[0]
        if top not in development and not top.startswith("."):
            yield path


def imported_packages(path: Path) -> set[str]:
    """The top-level packages of all imports, wherever in the file they stand."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module.partition(".")[0])
    return imported


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_an_order_is_placed_and_done_with_the_packages_of_production(
    production_programs: Path, processes: Processes, production: dict[str, str]
) -> None:
    programs = production_programs
    settings = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **production}
    checked = subprocess.run(
        [programs / "python", "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    load = [programs / "python", "manage.py", "load_demo_products"]
    subprocess.run(load, cwd=ROOT, env={**os.environ, **settings}, check=True)

    behind_the_web = [name for name in procfile() if name != "web"]
    processes.start(*behind_the_web, **settings)
    create = [str(programs / "python"), "manage.py", "api_keys", "create", "a test", "--shop"]
    made = subprocess.run(
        [*create, "--scope", "orders:place,orders:read", "--json"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        check=True,
    )
    api = Api(processes.start_web(**settings), json.loads(made.stdout)["key"])
    api.await_status(api.place(101, "book", "pen"), "confirmed")
    assert connection.database["invoices"].count_documents({}) == 1
