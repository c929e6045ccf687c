"""A moment is written in one way; in memory."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils.formats import date_format

from runtime.moment import exact, for_people, for_programs, to_the_millisecond

AT = datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
APPS = ("ordersite", "orders", "inventory", "billing", "webhooks", "failed_messages", "messaging")

#: Django's filter with a format of its own; "c" is for `datetime="…"`, which nobody reads.
OWN_FORMAT = re.compile(r'\|(?:date|time):"(?!DATETIME_FORMAT"|c")|\|(?:timesince|timeuntil)')
#: A clock's time; the name of a bucket or a count is for MongoDB alone.
CLOCK = re.compile(r"%H(?!\}\")|strftime|\.isoformat\((?:sep|timespec)")
FOR_MONGODB = {"ordersite/overview/measuring.py"}
FOR_A_LOG = {"ordersite/settings.py"}


@pytest.mark.parametrize(
    "at", [AT, AT.replace(tzinfo=None), AT.astimezone(timezone(timedelta(hours=5)))]
)
def test_it_is_in_utc_and_says_so(at: datetime) -> None:
    assert exact(at) == "2026-01-31 12:00:00 UTC"
    assert to_the_millisecond(at) == "2026-01-31 12:00:00.123 UTC"
    assert for_programs(at) == "2026-01-31T12:00:00.123Z"


def test_the_admin_and_templates_write_it_in_the_same_way() -> None:
    shown = Template('{{ at|date:"DATETIME_FORMAT" }}, {{ at }}').render(Context({"at": AT}))

    assert date_format(AT, "DATETIME_FORMAT") == exact(AT)
    assert shown == f"{exact(AT)}, {exact(AT)}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("due: 2026-01-31T12:00:00.123Z.", "due: 2026-01-31 12:00:00 UTC."),
        ('{"at": "2026-01-31T13:00:00+01:00"}', '{"at": "2026-01-31 12:00:00 UTC"}'),
        ("2026-01-31T12:00:00", "2026-01-31 12:00:00 UTC"),
        ("2026-99-31T12:00:00Z", "2026-99-31T12:00:00Z"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
        ("no time at all", "no time at all"),
    ],
)
def test_moments_in_a_text(text: str, shown: str) -> None:
    assert for_people(text) == shown


def test_no_template_has_a_format_of_its_own() -> None:
    own = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for app in APPS
        for path in (ROOT / app).rglob("*.html")
        for found in OWN_FORMAT.finditer(path.read_text())
    ]

    assert own == []


def test_no_module_has_a_format_of_its_own() -> None:
    own = [
        f"{name}: {found[0]}"
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if (name := str(path.relative_to(ROOT))) not in FOR_MONGODB | FOR_A_LOG
        for found in CLOCK.finditer(path.read_text())
    ]

    assert own == []
