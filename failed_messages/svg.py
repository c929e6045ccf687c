"""Small charts as SVG, drawn on the server in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence

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
