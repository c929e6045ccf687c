"""Says once that the collector does not take spans, and once that it does again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

logger = logging.getLogger(__name__)


class ToldOnce(SpanExporter):
    """Another exporter, whose own words for each attempt the settings' LOGGING leaves out."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_down = result is not SpanExportResult.SUCCESS
        if is_down and not self._is_down:
            logger.warning(
                "The collector of OTEL_EXPORTER_OTLP_ENDPOINT does not take traces, so they are "
                "dropped until it does. Orders are not affected."
            )
        if self._is_down and not is_down:
            logger.info("The collector takes traces again.")
        self._is_down = is_down
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
