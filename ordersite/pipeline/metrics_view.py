"""`GET /metrics`: the pipeline in Prometheus's text format."""

from __future__ import annotations

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from rest_framework.request import Request
from rest_framework.views import APIView

from ordersite.pipeline import operations
from ordersite.pipeline.metrics import PipelineCollector
from runtime.metrics.serving import Counted


class MetricsView(APIView):
    """What can be measured of the pipeline now, and what this process counts."""

    scopes = {"GET": "pipeline:read"}
    operations = {"GET": operations.METRICS}

    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(PipelineCollector())
        registry.register(Counted())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
