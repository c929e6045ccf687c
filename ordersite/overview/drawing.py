"""Small charts as SVG, drawn by the server in the page's own colours: no script, no library."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, TOP = 300, 70, 4
#: A line chart begins here; what took less is at its bottom.
LEAST_SECONDS = 0.01


def bars(counts: Sequence[int], titles: Sequence[str], said: str, name: str) -> SafeString:
    """One bar for each count, oldest first; `said` is the chart in words, `name` its colour."""
    most = max([1, *counts])
    step = WIDTH / max(1, len(counts))
    drawn = (
        (
            round(index * step, 1),
            round(HEIGHT - height, 1),
            round(max(1.0, step - 1), 1),
            round(height, 1),
            titles[index],
        )
        for index, count in enumerate(counts)
        if (height := max(1.5, (HEIGHT - TOP) * count / most) if count else 0)
    )
    rectangles = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>', drawn
    )
    return _svg(format_html('<g class="chart-{}">{}</g>', name, rectangles), said)


def lines(series: Sequence[tuple[str, Sequence[float | None]]], said: str) -> SafeString:
    """A line for each series of seconds, by its colour's name, on a logarithmic scale."""
    values = [value for _, several in series for value in several if value is not None]
    most = max([1.0, *values])
    drawn = ((name, path) for name, several in series if (path := " ".join(_points(several, most))))
    paths = format_html_join("", '<path class="chart-line chart-{}" d="{}"/>', drawn)
    return _svg(paths, said)


def _points(values: Sequence[float | None], most: float) -> list[str]:
    """The commands of a path; where there is no value it is interrupted."""
    step = WIDTH / max(1, len(values))
    scale = math.log(most / LEAST_SECONDS)
    commands, is_down = [], False
    for index, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        share = math.log(max(value, LEAST_SECONDS) / LEAST_SECONDS) / scale
        x, y = (index + 0.5) * step, HEIGHT - 1 - (HEIGHT - TOP) * share
        # A value alone is a short line, as a point of no length would not be seen.
        commands.append(f"{'L' if is_down else 'M'}{x - step / 2:.1f} {y:.1f}H{x + step / 2:.1f}")
        is_down = True
    return commands


def _svg(inside: SafeString, said: str) -> SafeString:
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}<path class="chart-axis" d="M0 {}H{}"/></svg>',
        WIDTH,
        HEIGHT,
        said,
        inside,
        HEIGHT - 0.5,
        WIDTH,
    )
