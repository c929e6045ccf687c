"""The page of charts: failures over time."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from failed_messages.admin.svg import stacked_bars
from failed_messages.reading.charts import SPANS, Chart, failures_over_time
from runtime.moment import exact
from runtime.plural import counted

SAID = {24: "last 24 hours", 168: "last 7 days", 720: "last 30 days"}


def context(request: HttpRequest) -> dict[str, Any]:
    """The template's variables; what the URL does not say, or says wrong, is the default."""
    by = "group" if request.GET.get("by") == "group" else "service"
    hours = next((each for each in SPANS if str(each) == request.GET.get("hours")), 24)
    chart = failures_over_time(by, hours)
    total = sum(sum(counts) for counts in chart.series.values())
    return {
        "title": "Failures over time",
        "by": by,
        "hours": hours,
        "spans": [(each, SAID[each]) for each in SPANS],
        "bars": SPANS[hours],
        "total": total,
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
