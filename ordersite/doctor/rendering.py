"""The report for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from django.core.management.color import Style

from ordersite.doctor.report import Finding, Report, Severity, Unseen

WIDTH_COLUMNS = 100
INDENT = "           "


def as_text(report: Report, style: Style) -> str:
    """A paragraph for each finding, the worst first, and the verdict last."""
    paragraphs = [
        *(_finding(each, style) for each in report.worst_first),
        *(_unseen("UNSEEN", each, style) for each in report.unchecked),
        *(_unseen("left out", each, style) for each in report.left_out),
        _verdict(report, style),
    ]
    return "\n\n".join(paragraphs)


def as_json(report: Report) -> dict[str, Any]:
    unchecked = [_unseen_json(each) for each in report.unchecked]
    return {
        "status": report.exit_code.name.lower().replace("_", " "),
        # `mend` is what `fix` was called first.
        "findings": [asdict(each) | {"mend": each.fix} for each in report.worst_first],
        "couldNotCheck": unchecked,
        "leftOut": [_unseen_json(each) for each in report.left_out],
        "checked": report.checked,
        # What the two above it were called first.
        "couldNotLook": unchecked,
        "lookedAt": report.checked,
    }


def _finding(finding: Finding, style: Style) -> str:
    colour = style.ERROR if finding.severity is Severity.ERROR else style.WARNING
    head = colour(f"{finding.severity.upper():<11}{finding.subject}")
    return "\n".join([head, *_body(finding)])


def _body(finding: Finding) -> Iterator[str]:
    yield _indented(finding.problem)
    yield _indented(finding.consequence)
    if finding.note:
        yield _indented(finding.note)
    # In one line, however long, so that it can be copied.
    yield f"{INDENT}$ {finding.fix}"


def _unseen(label: str, unseen: Unseen, style: Style) -> str:
    head = style.WARNING(f"{label:<11}{unseen.reason}")
    return "\n".join(
        [
            head,
            _indented(f"Not checked: {', '.join(unseen.checks)}."),
            f"{INDENT}{unseen.next_step}",
        ]
    )


def _verdict(report: Report, style: Style) -> str:
    colour = style.ERROR if report.exit_code else style.SUCCESS
    return str(colour(f"{report.verdict}."))


def _indented(text: str) -> str:
    return "\n".join(wrap(text, WIDTH_COLUMNS, initial_indent=INDENT, subsequent_indent=INDENT))


def _unseen_json(unseen: Unseen) -> dict[str, Any]:
    return {
        "checks": list(unseen.checks),
        "reason": unseen.reason,
        "nextStep": unseen.next_step,
    }
