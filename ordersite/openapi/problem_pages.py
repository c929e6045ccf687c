"""`/problems` and `/problems/NAME`: where a problem's `type` leads a person."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ordersite.openapi import operations
from ordersite.openapi.problem_table import problem_types
from ordersite.web import problems
from ordersite.web.read_only import read_only
from runtime.requests.operation import described
from runtime.requests.problem_type import ProblemType


@described(GET=operations.PROBLEMS)
@read_only
def all_kinds(request: HttpRequest) -> HttpResponse:
    return page(request, list(problem_types().values()))


@described(GET=operations.PROBLEM)
@read_only
def one_kind(request: HttpRequest, name: str) -> HttpResponse:
    if name not in problem_types():
        return problems.no_such_address(request)
    return page(request, [problem_types()[name]])


def page(request: HttpRequest, kinds: list[ProblemType]) -> HttpResponse:
    shown = [(kind, json.dumps(kind.example(), indent=2, ensure_ascii=False)) for kind in kinds]
    return render(request, "ordersite/problems.html", {"kinds": shown})
