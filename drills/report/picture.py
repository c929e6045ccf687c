"""Throughput over time as an SVG, with the faults marked; reads well on light and dark pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

from drills.checks.evidence import Evidence
from drills.checks.recovery import when
from drills.fault import Fault, Faults

BIN_SECONDS = 0.5
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 860, 320, 48, 64, 44
TITLE_LETTERS = 100

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.ground { fill: #ffffff; } .axis { stroke: #8b949e; }
.title { font-weight: 600; }
.fault { fill: #d1242f; fill-opacity: .16; }
.line { fill: none; stroke-width: 2; }
.answered { stroke: #0969da; } .done { stroke: #0a6e5c; } .refused { stroke: #bc4c00; }
.key { stroke: none; } .key.answered { fill: #0969da; }
.key.done { fill: #0a6e5c; } .key.refused { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .ground { fill: #0d1117; }
  .answered { stroke: #58a6ff; } .done { stroke: #3fb99f; } .refused { stroke: #f0883e; }
  .key.answered { fill: #58a6ff; } .key.done { fill: #3fb99f; } .key.refused { fill: #f0883e; }
}
"""
KEYS = {
    "answered": "orders answered with 201",
    "done": "orders reserved and invoiced",
    "refused": "503, or no answer",
}


def picture(title: str, evidence: Evidence, faults: Faults) -> str:
    """The SVG: each second's answers and effects, and what was broken meanwhile."""
    moments = dict(zip(KEYS, (answered(evidence), done(evidence), refused(evidence)), strict=True))
    times = [at for each in moments.values() for at in each]
    times += [at for fault in faults for at in (fault.started_at, fault.ended_at)]
    chart = Chart(min(times, default=0), max(times, default=0), moments)
    parts = [*chart.bands(faults), *chart.axes(), *chart.lines(), *chart.legend(title, faults)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<style>{STYLE}</style><rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>'
        f"{''.join(parts)}</svg>\n"
    )


def answered(evidence: Evidence) -> list[float]:
    return [
        each.at + each.seconds
        for each in evidence.exchanges
        if each.status == 201 and each.kind == "order"
    ]


def refused(evidence: Evidence) -> list[float]:
    return [each.at + each.seconds for each in evidence.exchanges if each.status in (None, 503)]


def done(evidence: Evidence) -> list[float]:
    """When each order had both effects."""
    reserved = {each["_id"]: when(each) for each in evidence.reservations}
    invoiced = {each["_id"]: when(each) for each in evidence.invoices}
    return [
        max(at, invoiced[order_id]) for order_id, at in reserved.items() if order_id in invoiced
    ]


def shortened(text: str) -> str:
    return text if len(text) <= TITLE_LETTERS else f"{text[:TITLE_LETTERS]} …"


class Chart:
    """Where things are in the picture."""

    def __init__(self, first: float, last: float, moments: dict[str, list[float]]) -> None:
        self._first = first
        self._bins = int((last - first) / BIN_SECONDS) + 1
        self._rates = {name: self._rate(at) for name, at in moments.items()}
        self._highest = max(max(rates) for rates in self._rates.values()) or 1

    def bands(self, faults: Iterable[Fault]) -> Iterator[str]:
        for fault in faults:
            left, right = self._x(fault.started_at), self._x(fault.ended_at)
            yield (
                f'<rect class="fault" x="{left:.1f}" y="{TOP}" width="{max(right - left, 2):.1f}" '
                f'height="{HEIGHT - TOP - BOTTOM}"><title>{escape(fault.what)}</title></rect>'
            )

    def axes(self) -> Iterator[str]:
        bottom = HEIGHT - BOTTOM
        yield f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH}" y2="{bottom}"/>'
        yield f'<text x="0" y="{TOP + 4}">{self._highest:g}/s</text>'
        yield f'<text x="{LEFT - 14}" y="{bottom}">0</text>'
        seconds = self._bins * BIN_SECONDS
        step = max(1, round(seconds / 10))
        for second in range(0, int(seconds - step / 2) + 1, step):
            left = self._x(self._first + second)
            yield f'<text x="{left:.1f}" y="{bottom + 20}">{second} s</text>'

    def lines(self) -> Iterator[str]:
        for name, rates in self._rates.items():
            points = " ".join(
                f"{self._x(self._first + (at + 0.5) * BIN_SECONDS):.1f},{self._y(rate):.1f}"
                for at, rate in enumerate(rates)
            )
            yield f'<polyline class="line {name}" points="{points}"/>'

    def legend(self, title: str, faults: Iterable[Fault]) -> Iterator[str]:
        broken = escape(shortened("; ".join(dict.fromkeys(fault.what for fault in faults))))
        yield f'<text x="{LEFT}" y="20"><tspan class="title">{title}</tspan>: {broken}</text>'
        left = LEFT
        for name, words in KEYS.items():
            yield f'<rect class="key {name}" x="{left}" y="36" width="12" height="12" rx="2"/>'
            yield f'<text x="{left + 18}" y="47">{words}</text>'
            left += 50 + 7 * len(words)
        yield f'<rect class="fault" x="{left}" y="36" width="12" height="12"/>'
        yield f'<text x="{left + 18}" y="47">broken</text>'

    def _rate(self, moments: list[float]) -> list[float]:
        counted = Counter(int((at - self._first) / BIN_SECONDS) for at in moments)
        return [counted[number] / BIN_SECONDS for number in range(self._bins)]

    def _x(self, at: float) -> float:
        return LEFT + (at - self._first) / (self._bins * BIN_SECONDS) * (WIDTH - LEFT - 16)

    def _y(self, rate: float) -> float:
        return HEIGHT - BOTTOM - rate / self._highest * (HEIGHT - TOP - BOTTOM)
