"""The page of all commands of `manage.py`, with every argument."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from ordersite.reference.markdown import code, table

HEAD = """# Commands

Each is `python manage.py COMMAND`. `--help` behind any of them shows the same, and what Django adds
to all: `--verbosity`, `--settings`, `--traceback` and `--no-color`.
"""


class Argument(NamedTuple):
    """One argument, as it is typed, and what it is for."""

    typed: str
    help: str


class Command(NamedTuple):
    """A command, or a part of one like `failed_messages list`."""

    name: str
    help: str
    usage: str
    arguments: list[Argument]


def page() -> str:
    """The page in Markdown."""
    return "\n".join([HEAD, *map(section, commands())])


def section(command: Command) -> str:
    lines = [f"## {command.name}", command.help, f"```\n{command.usage}\n```"]
    if command.arguments:
        rows = [(code(each.typed), each.help) for each in command.arguments]
        lines.append(table(("Argument", "Meaning"), rows))
    return "\n\n".join(lines) + "\n"


def commands() -> Iterator[Command]:
    """Every command of this project, by name, each followed by its parts."""
    for name, app in sorted(get_commands().items()):
        # A command of this project is in a folder of it, and Django's own are not.
        if isinstance(app, str) and (settings.BASE_DIR / app.partition(".")[0]).is_dir():
            loaded = load_command_class(app, name)
            yield from told(name, loaded.create_parser("manage.py", name), loaded.help)


def told(name: str, parser: argparse.ArgumentParser, help_: str) -> Iterator[Command]:
    own = [each for each in parser._actions if not is_djangos(each)]
    parts = [each for each in own if isinstance(each, argparse._SubParsersAction)]
    arguments = [argument(each) for each in own if each not in parts]
    usage = ["manage.py", name, *(in_usage(each) for each in own)]
    yield Command(name, help_, " ".join(usage), arguments)
    for part in parts:
        helps = {each.dest: each.help or "" for each in part._choices_actions}
        for part_name, part_parser in part.choices.items():
            yield from told(f"{name} {part_name}", part_parser, helps.get(part_name, ""))


def argument(action: argparse.Action) -> Argument:
    if not action.option_strings:
        return Argument(value_of(action) if action.choices else named(action), told_help(action))
    typed = ", ".join(action.option_strings)
    if action.nargs != 0:
        typed += f" {value_of(action)}"
    return Argument(typed, told_help(action))


def in_usage(action: argparse.Action) -> str:
    """The argument as a line of usage has it: in brackets where it may be left out."""
    if isinstance(action, argparse._SubParsersAction):
        return f"{'|'.join(action.choices)} …"
    typed = argument(action).typed.rpartition(", ")[2]
    if action.nargs in ("+", "*"):
        typed += " …"
    is_needed = action.required or not (action.option_strings or action.nargs in ("?", "*"))
    return typed if is_needed else f"[{typed}]"


def value_of(action: argparse.Action) -> str:
    if action.choices is not None and action.metavar is None:
        return "|".join(map(str, action.choices))
    return named(action) if action.metavar else action.dest.upper()


def named(action: argparse.Action) -> str:
    name = action.metavar or action.dest
    return name if isinstance(name, str) else " ".join(name)


def told_help(action: argparse.Action) -> str:
    """The help, with argparse's own `%(default)s` filled in."""
    return (action.help or "") % {**vars(action), "prog": "manage.py"}


def is_djangos(action: argparse.Action) -> bool:
    """Whether every command has it."""
    return set(action.option_strings) <= OF_ALL and bool(action.option_strings)


OF_ALL = {
    option
    for action in BaseCommand().create_parser("manage.py", "")._actions
    for option in action.option_strings
}
