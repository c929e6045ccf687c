"""The page of all commands of `manage.py`, with every argument."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.core.management import get_commands, load_command_class

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


class Recorder:
    """Notes what a command adds to its parser, in place of that parser."""

    def __init__(self) -> None:
        self.actions: list[argparse.Action] = []
        #: The parts of the command by name: what each is for …
        self.helps: dict[str, str] = {}
        #: … and what it adds.
        self.choices: dict[str, Recorder] = {}

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        action = argparse.ArgumentParser(add_help=False).add_argument(*names, **options)
        self.actions.append(action)
        return action

    def add_mutually_exclusive_group(self, **_: Any) -> Self:
        return self

    def add_subparsers(self, **_: Any) -> Self:
        return self

    def add_parser(self, name: str, *, help: str = "", **_: Any) -> Recorder:  # noqa: A002
        self.helps[name], self.choices[name] = help, Recorder()
        return self.choices[name]

    def set_defaults(self, **_: Any) -> None:
        """What a part runs is not of interest here."""


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
            loaded: Any = load_command_class(app, name)
            recorder = Recorder()
            loaded.add_arguments(recorder)
            yield from told(name, loaded.help, recorder)


def told(name: str, help_: str, recorder: Recorder) -> Iterator[Command]:
    usage = ["manage.py", name, *map(in_usage, recorder.actions)]
    if recorder.choices:
        usage.append(f"{'|'.join(recorder.choices)} …")
    yield Command(name, help_, " ".join(usage), [*map(argument, recorder.actions)])
    for part, part_recorder in recorder.choices.items():
        yield from told(f"{name} {part}", recorder.helps[part], part_recorder)


def argument(action: argparse.Action) -> Argument:
    if not action.option_strings:
        return Argument(value_of(action) if action.choices else named(action), told_help(action))
    typed = ", ".join(action.option_strings)
    if action.nargs != 0:
        typed += f" {value_of(action)}"
    return Argument(typed, told_help(action))


def in_usage(action: argparse.Action) -> str:
    """The argument as a line of usage has it: in brackets where it may be left out."""
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
