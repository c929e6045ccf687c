"""The page of charts: failures over time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from failed_messages.admin.svg import stacked_bars
from failed_messages.reading.charts import SPANS, Chart, failures_over_time
from messaging.service import services
from runtime.moment import exact
from runtime.plural import counted
from runtime.wrong_filters import refuse, wrong_in

#: What the URL may say, and what it says unless it does.
ASKED = {"by": ("service", "group"), "hours": tuple(map(str, SPANS))}
DEFAULTS = {name: values[0] for name, values in ASKED.items()}

#: The same spans, as a filter of the list has them.
AGES = {24: "24h", 168: "7d", 720: "30d"}
SAID = {24: "last 24 hours", 168: "last 7 days", 720: "last 30 days"}


def context(request: HttpRequest) -> dict[str, Any]:
    """The template's variables; of a wrong parameter, the message that says so and no chart."""
    if wrong := wrong_in(request.GET.dict(), ASKED):
        refuse(request, wrong)
    asked = {**DEFAULTS, **({} if wrong else request.GET.dict())}
    by, hours = asked["by"], int(asked["hours"])
    chart = Chart([], {}, {}) if wrong else failures_over_time(by, hours)
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
            (index, _name(chart, key), _count(by, key, hours, sum(counts), chart))
            for index, (key, counts) in enumerate(chart.series.items())
        ],
    }


def _name(chart: Chart, key: str) -> SafeString | str:
    """The series in words, which lead to the group."""
    if key not in chart.names:
        return key
    url = reverse("admin:failed_messages_failuregroup_change", args=[key])
    return format_html('<a href="{}">{}</a>', url, chart.names[key])


def _count(by: str, key: str, hours: int, count: int, chart: Chart) -> SafeString | str:
    """How many failures, which lead to the messages; of what no filter finds, the number."""
    if key not in (chart.names if by == "group" else services()):
        return f"{count:,}"
    query = urlencode({by: key, "newerThan": AGES[hours]})
    url = reverse("admin:failed_messages_failedmessage_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, query, f"{count:,}")


def _labels(chart: Chart) -> list[str]:
    return [exact(start) for start in chart.starts]
