"""Past migrations stay what they are, whatever becomes of the code. In memory."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

FROZEN = {"django", "bson", "pymongo", "django_mongodb_backend", "__future__", "datetime", "typing"}
ROOT = Path(settings.BASE_DIR)
MIGRATIONS = [
    path.relative_to(ROOT)
    for pattern in ("*/migrations/*.py*", "*/*/migrations/*.py*", "*/mongo_migrations/*/*.py")
    for path in sorted(ROOT.glob(pattern))
]


def imported(path: Path) -> Iterator[str]:
    """The full names of the modules, wherever in the file."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_frozen(module: str, package: str) -> bool:
    return module.partition(".")[0] in FROZEN or module == f"{package}.frozen"


def test_there_are_some() -> None:
    assert {path.parts[0] for path in MIGRATIONS} >= {"orders", "inventory", "billing", "ordersite"}


@pytest.mark.parametrize("path", MIGRATIONS, ids=str)
def test_a_migration_imports_no_live_code(path: Path) -> None:
    package = ".".join(path.parts[:-2])
    live = [module for module in imported(path) if not is_frozen(module, package)]
    assert live == [], f"write what {path} needs into it, or into {package}/frozen.py"


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/frozen.py")), ids=str)
def test_what_is_frozen_imports_no_live_code(path: Path) -> None:
    assert [module for module in imported(path) if not is_frozen(module, "")] == []


def test_the_models_need_no_further_migration() -> None:
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))

    changes = detector.changes(graph=loader.graph)

    assert {
        app: [each.describe() for migration in migrations for each in migration.operations]
        for app, migrations in changes.items()
    } == {}
