"""The reference has every setting, command, argument, route and event. In memory."""

from __future__ import annotations

import ast

import pytest

from localservices.pipeline import ROOT
from messaging.service import events
from ordersite.environment import DECLARED
from ordersite.management.commands.reference import PAGES
from ordersite.openapi.document import document
from ordersite.reference.commands_page import Argument, Command, commands
from ordersite.reference.markdown import cell
from ordersite.reference.settings_page import README, Said, said_in

COMMANDS = list(commands())
ARGUMENTS = [(command, argument) for command in COMMANDS for argument in command.arguments]
SAID = said_in(README.read_text())
READ = {name: each for name, each in DECLARED.items() if name.isupper()}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_every_command_says_what_it_is_for(command: Command) -> None:
    assert command.help.strip()


@pytest.mark.parametrize(
    ("command", "argument"), ARGUMENTS, ids=[f"{each.name} {of.typed}" for each, of in ARGUMENTS]
)
def test_every_argument_says_what_it_is_for(command: Command, argument: Argument) -> None:
    assert argument.help.strip()


def test_so_does_every_argument_of_a_program_beside_manage_py() -> None:
    programs = [
        path for folder in ("drills", "benchmarks") for path in (ROOT / folder).glob("*.py")
    ]
    silent = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in programs
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_argument"
        and "help" not in {each.arg for each in call.keywords}
    ]
    assert silent == []


def test_every_setting_that_the_code_reads_is_described_and_no_other() -> None:
    differing = SAID.keys() ^ READ.keys()

    # OpenTelemetry's own are described there, and NOT_SET is a test's.
    assert {name for name in differing if not name.startswith("OTEL_")} <= {"NOT_SET"}


#: `20`, and no words beside it.
PLAIN = {name: said.default[1:-1] for name, said in SAID.items() if said.default.count("`") == 2}
PLAIN = {name: default for name, default in PLAIN.items() if SAID[name].default == f"`{default}`"}


@pytest.mark.parametrize("name", sorted(PLAIN.keys() & READ.keys()))
def test_a_default_is_that_of_the_code(name: str) -> None:
    default = READ[name].default
    written = ",".join(map(str, default)) if isinstance(default, list) else str(default)

    assert PLAIN[name] == (written.lower() if isinstance(default, bool) else written)


def test_a_bar_is_escaped_where_it_would_end_a_cell() -> None:
    assert cell("a | b `c|d`\n e\\|f") == "a \\| b `c|d` e\\|f"


def test_a_row_of_several_settings_has_the_default_of_each() -> None:
    row = "| `A_DAYS`, `B_DAYS` | `30`, `90` | see [there](docs/x.md#y) and [here](#z) |"

    assert said_in(row) == {
        "A_DAYS": Said("`30`", "see [there](../../docs/x.md#y) and [here](../../README.md#z)"),
        "B_DAYS": Said("`90`", "see [there](../../docs/x.md#y) and [here](../../README.md#z)"),
    }


def test_the_pages_have_every_setting_command_route_and_event() -> None:
    made = {name: page() for name, page in PAGES.items()}

    assert all(f"\n| `{name}` |" in made["settings.md"] for name in SAID.keys() & READ.keys())
    assert all(f"\n## {each.name}\n" in made["commands.md"] for each in COMMANDS)
    routes = [
        f"\n### {method.upper()} {path}\n"
        for path, item in document()["paths"].items()
        for method in item
    ]
    assert all(route in made["http-api.md"] for route in routes)
    assert all(f"\n## {type_}\n" in made["events.md"] for type_ in events())
    for page in made.values():
        assert "| None |" not in page
