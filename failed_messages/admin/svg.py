"""Small charts as SVG, drawn on the server in the page's own colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

BAR_WIDTH, BAR_GAP, HEIGHT = 4, 1, 24


def sparkline(counts: Sequence[int]) -> SafeString:
    """A bar for each hour, oldest first, and the same in words."""
    said = f"{counts[-1]:,} this hour, {sum(counts):,} in {len(counts)} h"
    bars = [
        (index * (BAR_WIDTH + BAR_GAP), HEIGHT - height, BAR_WIDTH, height)
        for index, height in enumerate(heights(counts, HEIGHT))
    ]
    return format_html(
        '<span class="fm-trend"><svg class="fm-spark" viewBox="0 0 {} {}" width="{}" height="{}" '
        'role="img" aria-label="{}">{}</svg><small>{}</small></span>',
        width := len(counts) * (BAR_WIDTH + BAR_GAP),
        HEIGHT,
        width,
        HEIGHT,
        said,
        format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"/>', bars),
        said,
    )


def heights(counts: Sequence[int], full: int) -> list[int]:
    """Each count as a bar's height, the largest as `full`; what is not zero can be seen."""
    most = max(counts, default=0)
    return [max(1, round(full * count / most)) if count else 0 for count in counts]


WIDTH, CHART_HEIGHT, LEFT, BOTTOM = 720, 220, 48, 24
#: Below the bars; each is a moment in full.
LABELS = 4


def stacked_bars(labels: Sequence[str], series: Sequence[Sequence[int]], said: str) -> SafeString:
    """One bar for each label, the series stacked in it; `said` is the chart in words."""
    totals = [sum(counts) for counts in zip(*series, strict=True)] or [0] * len(labels)
    most = max([1, *totals])
    step = (WIDTH - LEFT) / max(1, len(labels))
    return format_html(
        '<svg class="fm-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
        WIDTH,
        CHART_HEIGHT + BOTTOM,
        said,
        format_html(
            '<text x="{}" y="12" text-anchor="end">{}</text>'
            '<text x="{}" y="{}" text-anchor="end">0</text>'
            '<line x1="{}" x2="{}" y1="{}" y2="{}"/>',
            LEFT - 6, f"{most:,}", LEFT - 6, CHART_HEIGHT, LEFT, WIDTH, CHART_HEIGHT, CHART_HEIGHT,
        ),
        format_html_join(
            "",
            '<rect class="fm-series-{}" x="{}" y="{}" width="{}" height="{}">'
            "<title>{}</title></rect>",
            _bars(labels, series, most, step),
        ),
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="start">{}</text>',
            [
                (round(LEFT + step * index), CHART_HEIGHT + 18, label)
                for index, label in enumerate(labels)
                if index % max(1, len(labels) // LABELS) == 0
            ],
        ),
    )  # fmt: skip


def _bars(
    labels: Sequence[str], series: Sequence[Sequence[int]], most: int, step: float
) -> Iterator[tuple[object, ...]]:
    for index, label in enumerate(labels):
        bottom = float(CHART_HEIGHT)
        for number, counts in enumerate(series):
            if not counts[index]:
                continue
            height = max(1.0, (CHART_HEIGHT - 16) * counts[index] / most)
            bottom -= height
            x = LEFT + step * index
            told = f"{label}: {counts[index]:,}"
            yield number, f"{x:.1f}", f"{bottom:.1f}", f"{step * 0.85:.1f}", f"{height:.1f}", told
