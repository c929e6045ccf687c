"""The example of each kind of problem is what the site answers, to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.http import HttpResponse

from ordersite.openapi.problem_table import problem_types
from tests.emptying import empty_collections
from tests.openapi.prepared import shop
from tests.openapi.problem_causes import CAUSES


def test_each_kind_has_what_provokes_it() -> None:
    assert problem_types().keys() == CAUSES.keys(), "tests/openapi/problem_causes.py has the causes"


@pytest.mark.usefixtures("clean", "closed_api")
def test_each_example_is_answered() -> None:
    wrong = list(differences())

    assert not wrong, "\n".join(wrong)


def differences() -> Iterator[str]:
    for name, cause in CAUSES.items():
        empty_collections()
        shop()
        answer = cause()
        content = answer.content if isinstance(answer, HttpResponse) else answer
        if json.loads(content) != problem_types()[name].example():
            yield f"{name}: {content.decode()}"
