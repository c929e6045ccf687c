"""A chart of the main figures, as an SVG that reads well on light and on dark pages."""

from __future__ import annotations

from html import escape
from typing import Any

from benchmarks.contenders import OURS
from benchmarks.figures import DRAIN, END_TO_END, P99, POST, Row, rows

CHARTED = (POST.format(32), P99.format(32), END_TO_END, DRAIN, "CPU, s for 1,000 orders")

WIDTH, LABELS_WIDTH, FIGURES_WIDTH = 760, 300, 90
BAR_HEIGHT, BAR_GAP, TITLE_HEIGHT, PANEL_GAP = 16, 6, 28, 18

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.ground { fill: #ffffff; }
.title { font-weight: 600; }
.ours { fill: #0a6e5c; }
.peer { fill: #9aa4ae; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ground { fill: #0d1117; }
  .ours { fill: #3fb99f; }
  .peer { fill: #6b7682; }
}
"""


def chart(results: dict[str, Any]) -> str:
    """The SVG: for each main figure a bar for each contender."""
    parts, top = [], 0
    for row in rows(results):
        if row.title in CHARTED:
            parts.append(_panel(row, results["contenders"], top))
            top += TITLE_HEIGHT + len(row.by_contender) * (BAR_HEIGHT + BAR_GAP) + PANEL_GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
        f'viewBox="0 0 {WIDTH} {top}" role="img" aria-label="The pipeline beside its peers">'
        f'<style>{STYLE}</style><rect class="ground" width="{WIDTH}" height="{top}"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _panel(row: Row, titles: dict[str, str], top: int) -> str:
    better = "less is better" if row.less_is_better else "more is better"
    longest = max(row.by_contender.values()) or 1
    bars = [
        _bar(titles[name], name in OURS, value, value / longest, top + TITLE_HEIGHT, at)
        for at, (name, value) in enumerate(row.by_contender.items())
    ]
    title = escape(f"{row.title} ({better})")
    return f'<text class="title" x="0" y="{top + 16}">{title}</text>{"".join(bars)}'


def _bar(title: str, is_ours: bool, value: float, share: float, top: int, at: int) -> str:
    y = top + at * (BAR_HEIGHT + BAR_GAP)
    width = max(share * (WIDTH - LABELS_WIDTH - FIGURES_WIDTH), 1)
    baseline = y + BAR_HEIGHT - 4
    return (
        f'<text x="0" y="{baseline}">{escape(title)}</text>'
        f'<rect class="{"ours" if is_ours else "peer"}" x="{LABELS_WIDTH}" y="{y}" '
        f'width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"/>'
        f'<text x="{LABELS_WIDTH + width + 8:.1f}" y="{baseline}">{_short(value)}</text>'
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
