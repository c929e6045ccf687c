"""The page of charts: failures over time."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from failed_messages.admin.svg import stacked_bars
from failed_messages.reading.charts import SPANS, Chart, failures_over_time
from runtime.moment import exact
from runtime.plural import counted
from runtime.wrong_filters import refuse, wrong_in

#: What the URL may say, and what it says unless it does.
ASKED = {"by": ("service", "group"), "hours": tuple(map(str, SPANS))}
DEFAULTS = {name: values[0] for name, values in ASKED.items()}

SAID = {24: "last 24 hours", 168: "last 7 days", 720: "last 30 days"}


def context(request: HttpRequest) -> dict[str, Any]:
    """The template's variables; of a wrong parameter, the message that says so and no chart."""
    if wrong := wrong_in(request.GET.dict(), ASKED):
        refuse(request, wrong)
    asked = {**DEFAULTS, **({} if wrong else request.GET.dict())}
    by, hours = asked["by"], int(asked["hours"])
    chart = Chart([], {}) if wrong else failures_over_time(by, hours)
    total = sum(sum(counts) for counts in chart.series.values())
    return {
        "title": "Failures over time",
        "by": by,
        "hours": hours,
        "spans": [(each, SAID[each]) for each in SPANS],
        "bars": SPANS[hours],
        "total": total,
        "is_wrong": bool(wrong),
        "chart": stacked_bars(
            _labels(chart),
            list(chart.series.values()),
            f"{counted(total, 'failure')}, {SAID[hours]}",
        ),
        "series": [
            (index, name, f"{sum(counts):,}")
            for index, (name, counts) in enumerate(chart.series.items())
        ],
    }


def _labels(chart: Chart) -> list[str]:
    return [exact(start) for start in chart.starts]
