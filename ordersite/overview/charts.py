"""The charts of the front page: throughput, how long orders take, failures."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.utils.safestring import SafeString
from msgspec import Struct

from ordersite.overview.drawing import bars, lines
from ordersite.overview.links import Link
from ordersite.overview.numbers import MESSAGES, ORDERS
from ordersite.overview.time_buckets import SPANS, Bucket, Span, total
from runtime.moment import exact
from runtime.plural import counted
from runtime.wrong_filters import wrong_value

P50, P99 = 0.5, 0.99


class Figure(Struct, frozen=True):
    """A number beside a chart."""

    text: str
    #: Of its line's colour; empty where the chart has one colour.
    color: str = ""


class Chart(Struct, frozen=True):
    title: str
    svg: SafeString
    figures: tuple[Figure, ...]
    link: Link


def say_wrong_span(request: HttpRequest) -> None:
    """Tell whoever asks for a span that there is not which one is shown in its place."""
    asked = request.GET.get("span", SPANS[0].name)
    if wrong := wrong_value("span", asked, [span.name for span in SPANS]):
        said = f"The charts show the last {span_named(asked).name}: in the address, {wrong}"
        messages.error(request, said)


def span_named(name: str | None) -> Span:
    """The hour, where there is none of that name."""
    return next((span for span in SPANS if span.name == name), SPANS[0])


def charts(span: Span, buckets: Sequence[Bucket], services: Sequence[str]) -> list[Chart]:
    """`buckets` are all of the span's, oldest first; `services` are those that answer."""
    whole = total(buckets[0].start, buckets)
    return [
        _throughput(span, buckets, whole),
        *(_took(span, buckets, whole, service) for service in services),
        _failures(span, buckets, whole),
    ]


def _throughput(span: Span, buckets: Sequence[Bucket], whole: Bucket) -> Chart:
    counts = [bucket.placed for bucket in buckets]
    minutes = span.bucket.total_seconds() / 60
    most = f"at most {f'{max(counts) / minutes:,.1f}'.removesuffix('.0')} a minute"
    said = f"{counted(whole.placed, 'order')} in the last {span.name}, {most}"
    titles = [f"{exact(each.start)}: {counted(each.placed, 'order')}" for each in buckets]
    return Chart(
        "Orders accepted",
        bars(counts, titles, said, "placed"),
        (Figure(f"{whole.placed:,}"), Figure(most)),
        Link("All orders", ORDERS),
    )


def _took(span: Span, buckets: Sequence[Bucket], whole: Bucket, service: str) -> Chart:
    several = [bucket.took.get(service) for bucket in buckets]
    series = [
        (name, [each.percentile(share) if each else None for each in several])
        for name, share in (("p99", P99), ("p50", P50))
    ]
    all_of_it = whole.took.get(service)
    now = [
        (name, all_of_it.percentile(share) if all_of_it else None)
        for name, share in (("p50", P50), ("p99", P99))
    ]
    figures = tuple(Figure(f"{name} {seconds(value)}", name) for name, value in now)
    said = f"{service}, from accepted to answered: {', '.join(each.text for each in figures)}"
    link = Link(f"Orders that wait for {service}", ORDERS, f"waits={service}")
    return Chart(f"Accepted → answered by {service}", lines(series, said), figures, link)


def _failures(span: Span, buckets: Sequence[Bucket], whole: Bucket) -> Chart:
    counts = [bucket.failures for bucket in buckets]
    titles = [f"{exact(each.start)}: {each.failures:,} failed" for each in buckets]
    said = f"{counted(whole.failures, 'message')} failed in the last {span.name}"
    return Chart(
        "Messages failed",
        bars(counts, titles, said, "failures"),
        (Figure(f"{whole.failures:,}"),),
        Link("Those that failed", MESSAGES, f"newerThan={span.newer_than}"),
    )


def seconds(value: float | None) -> str:
    """`40 ms`, `2.3 s`, `3 min`; a dash where nothing was answered."""
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"
