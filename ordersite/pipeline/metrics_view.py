"""`GET /metrics`: the pipeline in Prometheus's text format."""

from __future__ import annotations

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from rest_framework.request import Request
from rest_framework.views import APIView

from ordersite.pipeline import operations
from ordersite.pipeline.metrics import PipelineCollector


class MetricsView(APIView):
    """Every family that can be measured now; measured for each request."""

    scopes = {"GET": "pipeline:read"}
    operations = {"GET": operations.METRICS}

    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(PipelineCollector())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
