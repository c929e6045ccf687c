"""Failed messages on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from failed_messages.acting.second_person import Waits
from failed_messages.reading.act_result import Verdict
from failed_messages.reading.representation import verdict_json
from runtime.moment import for_people
from runtime.terminal import printable, table


class Refusal(ValueError):
    """What was asked for on the command line cannot be done; the text says why."""


class Terminal:
    """Shows an operator lines, and a script JSON."""

    def __init__(
        self, stdout: OutputWrapper, stderr: OutputWrapper, style: Style, is_json: bool
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._style = style
        self._is_json = is_json
        #: True once a message was refused what was asked for it.
        self.refused = False

    def show(self, value: object, lines: Iterable[str]) -> None:
        """The same, as JSON and as lines."""
        if self._is_json:
            self._stdout.write(json.dumps(value, indent=2))
        else:
            self._stdout.write("\n".join(printable(line) for line in lines))

    def items(self, items: Sequence[Mapping[str, Any]], columns: Sequence[str], none: str) -> None:
        """A table; `none` stands for an empty one."""
        rows = [[cell(name, item[name]) for name in columns] for item in items]
        self.show(items, table(columns, rows, stdout=self._stdout) if items else [none])

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """What became of each message that was acted on."""
        self.refused = not all(verdict.done for verdict in verdicts)
        if self._is_json:
            self.show([verdict_json(each) for each in verdicts], ())
            return
        for verdict in verdicts:
            style = self._style.SUCCESS if verdict.done else self._style.ERROR
            word = style("done" if verdict.done else "refused")
            self._stdout.write(f"{printable(verdict.id)}  {word}: {printable(verdict.detail)}")

    def waits(self, waits: Waits) -> None:
        """That another person has to approve what was asked for."""
        self.show({"pending": str(waits.id)}, [f"{waits!s}: failed_messages pending"])

    def warn(self, line: str) -> None:
        self._stderr.write(printable(line))


def cell(name: str, value: object) -> object:
    """What JSON says, for a person: a moment as everywhere."""
    is_moment = isinstance(value, str) and (name == "at" or name.endswith("At"))
    return for_people(str(value)) if is_moment else value
