"""What the doctor found, and what it could not check."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Severity(StrEnum):
    #: Orders are not taken, do not move on, or could be lost.
    ERROR = "error"
    #: All works, but slower than it should, or until the next fault.
    WARNING = "warning"


class ExitCode(IntEnum):
    HEALTHY = 0
    FINDINGS = 1
    COULD_NOT_CHECK = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    severity: Severity
    subject: str
    problem: str
    consequence: str
    #: The command that fixes it, as it is typed.
    fix: str
    #: What to know before typing it.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Checks that were not made, why, and how to make them."""

    checks: tuple[str, ...]
    reason: str
    next_step: str


@dataclass(slots=True)
class Report:
    """One examination."""

    findings: list[Finding] = field(default_factory=list)
    #: The names of the checks that were made.
    checked: list[str] = field(default_factory=list)
    #: A dependency did not answer.
    unchecked: list[Unseen] = field(default_factory=list)
    #: No permission to check these; everything may be well.
    left_out: list[Unseen] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        if self.unchecked:
            return ExitCode.COULD_NOT_CHECK
        return ExitCode.FINDINGS if self.findings else ExitCode.HEALTHY

    @property
    def worst_first(self) -> list[Finding]:
        return sorted(self.findings, key=lambda finding: finding.severity is not Severity.ERROR)

    @property
    def verdict(self) -> str:
        """The report in one line."""
        errors = sum(finding.severity is Severity.ERROR for finding in self.findings)
        warnings = len(self.findings) - errors
        unseen = sum(len(each.checks) for each in self.unchecked)
        counts = [
            *([_counted(errors, "error")] if errors else []),
            *([_counted(warnings, "warning")] if warnings else []),
            *([f"{_counted(unseen, 'check')} could not be made"] if unseen else []),
        ]
        return ", ".join(counts) or f"Healthy: {_counted(len(self.checked), 'check')} made"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
