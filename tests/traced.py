"""Tests whose own process records traces, for a collector of their own; a plugin of pytest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.collector import Collector, Span, running_collector


class Traces:
    """What this process has recorded."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def spans(self) -> list[Span]:
        """All until now, in the sequence in which they ended."""
        from runtime.tracing import sdk

        assert sdk.recording().flush()
        return self.collector.spans

    def only(self, name: str) -> Span:
        [span] = [each for each in self.spans() if each.name == name]
        return span


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    """Every trace is recorded."""
    # Only now does Django know its settings.
    from messaging.handling import middlewares
    from runtime.tracing import sdk
    from runtime.tracing.sampling import sampler_of

    def forget_middlewares() -> None:
        middlewares.around_a_message.cache_clear()
        middlewares.around_a_batch.cache_clear()

    with running_collector() as collector, monkeypatch.context() as patched:
        patched.setattr(settings, "TRACES_ARE_ON", True)
        patched.setattr(settings, "TRACE_SAMPLER", sampler_of("parentbased_always_on", 1))
        patched.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        forget_middlewares()
        patched.setattr(sdk, "_recording", None)
        try:
            yield Traces(collector)
        finally:
            sdk.stop()
            patched.undo()
            forget_middlewares()
