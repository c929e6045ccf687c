"""The pages lead to each other, and the list of decisions is complete."""

from __future__ import annotations

import hashlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from drills.faults import DRILLS
from localservices.pipeline import ROOT
from ordersite.management.commands.reference import PAGES as PAGES_OF_THE_CODE

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"python manage\.py (?P<name>[a-z_]+)(?P<arguments>[^`\n#|>&;]*)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)

DECISIONS = ROOT / "docs/decisions"
FOLDERS = ("docs", "examples")
PAGES = [*ROOT.glob("*.md"), *(page for each in FOLDERS for page in (ROOT / each).rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if not leads_somewhere(page, link)]

    assert not broken, f"{page.name} has links to what is not there: {broken}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_of_a_page_takes_its_arguments(page: Path) -> None:
    wrong = {
        line: problem
        for line, name, arguments in commands(page)
        if (problem := refusal(name, shlex.split(arguments)))
    }

    assert not wrong, f"{page.name} has commands that end with an error: {wrong}"


def commands(page: Path) -> Iterator[tuple[str, str, str]]:
    """Each command that can be copied as it is: the text, its name and its arguments."""
    for found in COMMAND.finditer(page.read_text()):
        is_made_by_the_reader = page.name == "adding-a-service.md" and " shipping" in found[0]
        if found["arguments"].strip() and "…" not in found[0] and not is_made_by_the_reader:
            yield found[0], found["name"], found["arguments"]


def refusal(name: str, arguments: list[str]) -> str:
    """What the command says of its arguments; empty where it takes them."""
    try:
        app = get_commands()[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        command.create_parser("manage.py", name).parse_args(arguments)
    except (KeyError, CommandError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("decision", sorted(DECISIONS.glob("0*.md")), ids=lambda path: path.name)
def test_a_decision_has_a_status_and_a_date_and_is_listed(decision: Path) -> None:
    told = decision.read_text()

    assert re.search(r"^\*\*Status:\*\* .+ \*\*Date:\*\* \d{4}-\d\d-\d\d\.", told, re.M | re.S)
    assert f"]({decision.name})" in (DECISIONS / "README.md").read_text()


def test_each_threat_names_tests_and_drills_that_exist() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line[:2] == "| "]
    named = {row: re.findall(r"(drill )?`([^`]+)`", row.split("|")[-2]) for row in rows[1:]}
    drills = {each.name for each in DRILLS}
    missing = [
        (row, name)
        for row, names in named.items()
        for is_drill, name in names or [("", "no test")]
        if not (name in drills if is_drill else (ROOT / name).exists())
    ]

    assert len(named) > 10
    assert missing == []


def test_the_site_has_a_place_for_every_page() -> None:
    named = set(placed_in(tomllib.loads((ROOT / "docs/zensical.toml").read_text())))

    made = {f"docs/reference/{name}" for name in PAGES_OF_THE_CODE}
    decisions = {str(page.relative_to(ROOT)) for page in DECISIONS.glob("0*.md")}
    written = {str(page.relative_to(ROOT)) for page in PAGES}
    assert named == (written - decisions) | made


def test_what_draws_the_diagrams_is_as_its_package_has_it() -> None:
    folder = ROOT / "docs/mermaid"
    sums = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "ORIGIN.txt").read_text(), re.M)

    assert [name for _, name in sums] == ["mermaid.tiny.js"]
    for sum_, name in sums:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sum_


def placed_in(part: object) -> Iterator[str]:
    """The files in the navigation of the site, or in a part of it."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name != "theme":
                yield from placed_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from placed_in(inner)
    elif isinstance(part, str) and part.endswith(".md"):
        yield part


def links(page: Path) -> Iterator[str]:
    return (found[1] for found in LINK.finditer(CODE.sub("", page.read_text())))


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of the headings."""
    headings = HEADING.findall(CODE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
