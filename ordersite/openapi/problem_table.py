"""Every kind of problem that the site answers with, and the page about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps

from runtime.requests import problem_types as of_any_route
from runtime.requests.problem_type import PATH, ProblemType

HEAD = f"""# Problems

What the API refuses is answered with `application/problem+json`
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Tell problems apart by `type`, which never
changes; `title`, `detail` and the texts in `errors` are for people. The site serves what follows at
`{PATH}`, and each kind at its own address, `{PATH}/{{name}}`.

Made by `python manage.py openapi`.
"""


@cache
def problem_types() -> dict[str, ProblemType]:
    """Each kind by its name: those of any route, and those of every app, by status."""
    found = [each for module in modules() for each in declared_in(module)]
    return {each.name: each for each in sorted(found, key=lambda each: (each.status, each.name))}


def modules() -> Iterator[ModuleType]:
    yield of_any_route
    for app in apps.get_app_configs():
        name = f"{app.name}.problem_types"
        if find_spec(name):
            yield import_module(name)


def declared_in(module: ModuleType) -> list[ProblemType]:
    return [each for each in vars(module).values() if isinstance(each, ProblemType)]


def markdown() -> str:
    """The text of docs/problems.md."""
    kinds = problem_types().values()
    lines = [f"| [`{each.name}`](#{each.name}) | {each.status} | {each.title} |" for each in kinds]
    table = "\n".join(["| `type` ends with | Status | Title |", "|---|---|---|", *lines])
    return "\n".join([HEAD, table, *(section(each) for each in kinds)])


def section(kind: ProblemType) -> str:
    example = json.dumps(kind.example(), indent=2, ensure_ascii=False)
    return f"\n## {kind.name}\n\n{kind.meaning}\n\n**Fix:** {kind.fix}\n\n```json\n{example}\n```"
