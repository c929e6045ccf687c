"""Past migrations stay what they are, whatever becomes of the code. In memory."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

FROZEN = {"django", "bson", "pymongo", "django_mongodb_backend", "__future__", "datetime", "typing"}
ROOT = Path(settings.BASE_DIR)
MIGRATIONS = [
    path.relative_to(ROOT)
    for pattern in ("*/migrations/*.py*", "*/*/migrations/*.py*", "*/mongo_migrations/*/*.py")
    for path in sorted(ROOT.glob(pattern))
]

#: By app, the newest migration of the previous release; apps that it had not are not here.
PREVIOUS_RELEASE = {
    "billing": "0003_lost_numbers",
    "failed_messages": "0008_returned",
    "inventory": "0003_unheard_shipments",
    "orders": "0006_awaited",
    "simulated_faults": "0001_initial",
}
#: These may take away what processes of the previous release use, which run on during `migrate`.
TAKE_AWAY = (
    migrations.AddConstraint,
    migrations.AlterModelTable,
    migrations.AlterUniqueTogether,
    migrations.DeleteModel,
    migrations.RemoveField,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.RunPython,
    migrations.RunSQL,
)
#: Why the previous release survives these nevertheless.
SURVIVED = {
    ("failed_messages", "0009_leases_of_their_own"): (
        "it takes a bulk replay without `leased_until` for one that nobody works on"
    ),
    ("keyed_requests", "0001_initial"): "an index of a collection that it does not have",
    ("orders", "0008_shipped"): "it compares no status with those that it knows",
    ("orders", "0009_retry_notes"): "an index of a collection that it does not have",
}


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


def taken_away(migration: Migration) -> list[Operation]:
    """The operations of the migration that the previous release may not survive."""
    return [each for each in in_the_database(migration.operations) if may_take_away(each)]


def in_the_database(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from in_the_database(operation.database_operations)
        else:
            yield operation


def may_take_away(operation: Operation) -> bool:
    is_unique = isinstance(operation, migrations.AddField | migrations.AlterField) and (
        operation.field.unique
    )
    return is_unique or isinstance(operation, TAKE_AWAY)


def test_the_previous_release_survives_each_migration() -> None:
    """A field goes one release after the last one that uses it; else it says here why it may go."""
    disk = MigrationLoader(None).disk_migrations
    ours = {app.label for app in apps.get_app_configs() if "django" not in app.name}
    needing = {
        key
        for key, migration in disk.items()
        if key[0] in ours and key[1] > PREVIOUS_RELEASE.get(key[0], "") and taken_away(migration)
    }

    assert needing == SURVIVED.keys()


@pytest.mark.parametrize(
    ("operation", "is_named"),
    [
        (migrations.RemoveField("order", "total"), True),
        (migrations.RenameField("order", "total", "sum"), True),
        (migrations.DeleteModel("order"), True),
        (migrations.RunPython(print), True),
        (migrations.AlterField("order", "reference", models.TextField(unique=True)), True),
        (migrations.AddField("order", "note", models.TextField(null=True)), False),
        (migrations.SeparateDatabaseAndState([migrations.RunPython(print)]), True),
        (migrations.SeparateDatabaseAndState([], [migrations.DeleteModel("order")]), False),
    ],
)
def test_what_takes_something_away_is_named(operation: Operation, is_named: bool) -> None:
    migration = Migration("9999_next", "orders")
    migration.operations = [operation]

    assert bool(taken_away(migration)) == is_named
