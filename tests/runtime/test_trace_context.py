"""Where in a trace something happens, as headers say it; and which traces are recorded."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from runtime.tracing import context, sampling
from runtime.tracing.link import trace_link
from runtime.tracing.sampling import NAMES, sampler_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "is_sampled"), [("01", True), ("00", False), ("03", True)])
def test_a_traceparent_is_read(flags: str, is_sampled: bool) -> None:
    read = context.read({"traceparent": f"00-{TRACE}-{SPAN}-{flags}", "tracestate": "a=1"})

    assert read == context.TraceContext(TRACE, SPAN, is_sampled, "a=1")


def test_it_is_written_as_it_was_read() -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1,b=2"}

    assert context.read(headers).headers() == headers


def test_a_later_version_may_say_more() -> None:
    read = context.read({"traceparent": f"cc-{TRACE}-{SPAN}-01-what-comes"})

    assert (read.trace_id, read.headers()["traceparent"][:3]) == (TRACE, "00-")


@pytest.mark.parametrize(
    "parent",
    [
        "",
        7,
        None,
        b"00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-\u0660\u0661",
    ],
)
def test_what_is_none_names_no_trace(parent: object) -> None:
    assert context.read({"traceparent": parent}) is None


@pytest.mark.parametrize("state", ["", 7, "a=\n", "x" * 513, "ü=1"])
def test_a_state_that_is_none_is_left_out(state: object) -> None:
    read = context.read({"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": state})

    assert read.headers() == {"traceparent": f"00-{TRACE}-{SPAN}-01"}


def caller(is_sampled: bool) -> context.TraceContext:
    return context.TraceContext(TRACE, SPAN, is_sampled)


def test_a_sampler_follows_the_caller_where_its_name_says_so() -> None:
    follows, alone = sampler_of("parentbased_always_off", 1), sampler_of("always_off", 1)

    assert follows.samples(caller(True))
    assert not follows.samples(caller(False))
    assert not follows.samples(None)
    assert not alone.samples(caller(True))
    assert sampler_of("always_on", 0).samples(caller(False))


@pytest.mark.parametrize("name", [each for each in NAMES if each.endswith("traceidratio")])
def test_a_share_of_the_traces_is_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = sampler_of(name, 0.01)
    drawn = iter([0.0, 0.0099, 0.01, 0.999, 0.0])
    monkeypatch.setattr(sampling, "random", lambda: next(drawn))

    assert [sampler.samples(None) for _ in range(4)] == [True, True, False, False]
    assert not sampler_of(name, 0).samples(None)


@pytest.mark.parametrize(
    ("flags", "url", "shown"),
    [
        ("01", "https://t.example.com/{trace_id}", f'<a href="https://t.example.com/{TRACE}"'),
        ("01", "", f">{TRACE}<"),
        # Nobody has recorded it.
        ("00", "https://t.example.com/{trace_id}", f">{TRACE}<"),
    ],
)
def test_an_orders_page_leads_to_its_trace(
    flags: str, url: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TRACE_URL", url)
    trace = trace_link({"traceparent": f"00-{TRACE}-{SPAN}-{flags}"})
    page = render_to_string("ordersite/workplace.html", {"order_id": "1", "trace": trace})

    assert shown in page
    assert "Trace" not in render_to_string("ordersite/workplace.html", {"order_id": "1"})
