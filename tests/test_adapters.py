"""What a library does not document is used in one file a library, and nowhere else.

Each of those files names the releases that it was tried with (`runtime.tried_releases`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent

#: Which library each is for.
ADAPTERS = {
    "messaging/adapters/billiard.py": "billiard",
    "messaging/adapters/celery.py": "celery",
    "messaging/adapters/kombu.py": "kombu",
    "messaging/adapters/py_amqp.py": "amqp",
    "ordersite/patches/django_mongodb_backend.py": "django_mongodb_backend",
    "ordersite/patches/geography.py": "sys.meta_path",
    "ordersite/web/bounded_http.py": "uvicorn",
}

#: Modules that a library does not document; what is below one is not documented either.
UNDOCUMENTED = (
    *("amqp.abstract_channel", "amqp.basic_message", "amqp.method_framing"),
    *("amqp.serialization", "amqp.transport", "billiard", "celery.concurrency", "celery.worker"),
    *("asgiref.wsgi", "django_mongodb_backend.compiler", "django_mongodb_backend.query"),
    *("django_mongodb_backend.schema", "httptools"),
    *("kombu.asynchronous", "pymongo.synchronous", "uvicorn.protocols"),
)

#: With an underscore, and documented anyway: Django's Model API, named tuples.
DOCUMENTED = {
    "_meta",
    "_base_manager",
    "_default_manager",
    "_replace",
    "_asdict",
    "_fields",
    "_exit",
}

#: Theirs, and documented as what a program gives another value.
HOOKS = {"sys.excepthook", "threading.excepthook"}

#: Of no release of the pipeline: what stands beside it to measure or to break it.
OUTSIDE = ("tests", "benchmarks/peers", "localservices", "drills")

PRIVATE = re.compile(r"_[a-zA-Z]\w*")


def files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if not relative.parts[0].startswith(".") and not str(relative).startswith(OUTSIDE):
            yield relative


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@lru_cache(maxsize=8)
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All of the file's syntax tree; those of all files would be a million objects."""
    return tuple(ast.walk(tree(path)))


def uses(path: Path) -> Iterator[str]:
    """What the file uses of a library that the library does not document."""
    for node in nodes(path):
        match node:
            case (
                ast.Attribute(attr=name)
                | ast.Call(
                    func=ast.Name("getattr" | "setattr" | "hasattr"),
                    args=[_, ast.Constant(str(name)), *_],
                )
            ) if PRIVATE.fullmatch(name) and name not in DOCUMENTED and not is_ours(name, path):
                yield f"{path}:{node.lineno}: {name}"
            case ast.Attribute(
                value=ast.Name("sys"), attr="meta_path" | "_getframe" | "path_hooks"
            ):
                yield f"{path}:{node.lineno}: sys.{node.attr}"
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for each in (f"{module}.{name.name}" for name in names):
                    if is_undocumented(each):
                        yield f"{path}:{node.lineno}: {each}"
            case ast.Import(names=aliases):
                for alias in aliases:
                    if is_undocumented(alias.name):
                        yield f"{path}:{node.lineno}: {alias.name}"


def changes(path: Path) -> Iterator[str]:
    """Names of a library's module or class that the file gives another value."""
    theirs = {
        alias.asname or alias.name
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
        if file_of(getattr(node, "module", None) or alias.name) is None
        and file_of(f"{getattr(node, 'module', '')}.{alias.name}") is None
    }
    for node in nodes(path):
        match node:
            case ast.Attribute(value=ast.Name(owner), attr=name, ctx=ast.Store()) if (
                owner in theirs and f"{owner}.{name}" not in HOOKS
            ):
                yield f"{path}:{node.lineno}: {owner}.{name} ="


def is_undocumented(imported: str) -> bool:
    if file_of(imported) or file_of(imported.rpartition(".")[0]):
        return False
    private = any(PRIVATE.fullmatch(part) for part in imported.split("."))
    return private or f"{imported}.".startswith(tuple(f"{each}." for each in UNDOCUMENTED))


def is_ours(name: str, path: Path) -> bool:
    """Whether the file, or a file of ours that it imports, gives the name to its own classes."""
    return name in given_names(path) or any(name in given_names(each) for each in imports(path))


@cache
def given_names(path: Path) -> frozenset[str]:
    """Fields, methods, functions and constants that the file itself makes."""
    names: set[str] = set()
    for node in nodes(path):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                names.add(name)
            case ast.Attribute(value=ast.Name("self" | "cls"), attr=name, ctx=ast.Store()):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
    return frozenset(names)


def imports(path: Path) -> Iterator[Path]:
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (node.module, *(f"{node.module}.{each.name}" for each in node.names)):
                if found := file_of(name):
                    yield found


@cache
def file_of(module: str) -> Path | None:
    """The file of a module of ours."""
    if not module:
        return None
    place = Path(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if (ROOT / path).is_file():
            return path
    return None


def overridden(path: Path) -> Iterator[str]:
    """Methods of the file's classes that take the place of a library's private one."""
    for node in nodes(path):
        if isinstance(node, ast.ClassDef) and node.bases:
            names = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            private = {name for name in names if PRIVATE.fullmatch(name)}
            made = private and getattr(module_of(path), node.name, None)
            for base in made.__mro__[1:] if made else ():
                if file_of(base.__module__) is None:
                    yield from (
                        f"{path}: {node.name}.{name}" for name in private & vars(base).keys()
                    )


def module_of(path: Path) -> ModuleType:
    return import_module(".".join(path.with_suffix("").parts))


def test_files_use_what_libraries_document() -> None:
    assert [
        found
        for path in files()
        if str(path) not in ADAPTERS
        for found in (*uses(path), *changes(path), *overridden(path))
    ] == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_is_for_one_library_and_is_needed(adapter: str) -> None:
    assert list(uses(Path(adapter)))


@pytest.mark.parametrize(
    "line",
    [
        "from amqp.serialization import loads",
        "from amqp import serialization",
        "import celery.worker.loops",
        "from uvicorn._types import Scope",
        "consumer.pool._pool.grow(1)",
        'getattr(consumer, "_active_tags")',
        "sys.meta_path.insert(0, finder)",
        "from django.db.models.sql.compiler import _private",
        "from kombu import Queue\nQueue.consume = None",
    ],
)
def test_what_is_not_documented_is_found(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "tree", lambda path: ast.parse(line))
    nodes.cache_clear()
    given_names.cache_clear()
    assert [*uses(Path("orders/views.py")), *changes(Path("orders/views.py"))]
    given_names.cache_clear()
    nodes.cache_clear()
