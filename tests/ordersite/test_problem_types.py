"""The kinds of problems: declared once, told on a page, the same at the proxy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client, override_settings

from localservices.pipeline import ROOT
from ordersite.management.commands.openapi import files
from ordersite.openapi.problem_table import problem_types
from runtime.requests.problem_type import ProblemType

KINDS = list(problem_types().values())
PROXY = (ROOT / "deploy/proxy/site.conf").read_text()


@pytest.fixture
def browser() -> Client:
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == files()[path], "run: python manage.py openapi"


def test_a_kind_is_told_from_every_other_one() -> None:
    assert len(KINDS) > 25
    assert len({each.title for each in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
        assert kind.status >= 400
        assert all([kind.title, kind.meaning, kind.fix, kind.detail]), kind.name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_type_of_a_problem_leads_to_what_it_means(browser: Client, kind: ProblemType) -> None:
    answer = browser.get(kind.address)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert f"<code>{kind.name}</code>, status {kind.status}" in page


def test_all_kinds_are_on_one_page(browser: Client) -> None:
    page = browser.get("/problems").content.decode()

    assert [each.name for each in KINDS] == re.findall(r'<section id="([^"]+)"', page)


def test_an_unknown_kind_is_a_problem_too(browser: Client) -> None:
    answer = browser.get("/problems/none")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


@override_settings(FORCE_SCRIPT_NAME="/shop")
def test_behind_a_proxys_path_the_type_leads_there() -> None:
    assert problem_types()["not-sold"].address == "/shop/problems/not-sold"


def test_the_proxy_answers_with_the_same_kinds() -> None:
    answers = [json.loads(each) for each in re.findall(r"return \d+ '(\{.*\})';", PROXY)]

    assert len(answers) == 7
    for each in answers:
        kind = problem_types()[each["type"].removeprefix("/problems/")]
        assert (each["title"], each["status"]) == (kind.title, kind.status)
