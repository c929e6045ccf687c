"""Whether the site is alive, can take an order, and has all that an order needs, over HTTP."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from ordersite.pipeline import health, operations
from ordersite.pipeline.answers import HealthCheck, Readiness
from ordersite.pipeline.kept_readiness import KeptReadiness
from ordersite.web.read_only import read_only
from runtime.requests.caller import Caller
from runtime.requests.operation import described

#: The scope that shows what is missing.
DETAILS = "pipeline:read"

#: One for all of this process's threads.
kept = KeptReadiness()


@described(GET=operations.LIVE)
@read_only
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all."""
    return JsonResponse({"status": "live"})


@described(GET=operations.SERVING)
@read_only
def serving(request: HttpRequest) -> JsonResponse:
    """200 as long as this process can take an order, which needs MongoDB alone; else 503.

    Not before all migrations are applied: until then, the processes of the release before go on.
    """
    if health.mongodb().ok and health.is_migrated():
        return JsonResponse({"status": "serving"})
    return JsonResponse({"status": "not serving"}, status=HTTPStatus.SERVICE_UNAVAILABLE)


class ReadinessView(APIView):
    """`GET /health/ready`: 200 if every check is ok, else 503; the body lists them all.

    A probe has no key and reads only the status; without the scope there are no details.
    """

    permission_classes = [AllowAny]
    operations = {"GET": operations.READY}

    def get(self, request: Request) -> JsonResponse:
        checks = kept.checks()
        is_ready = all(check.ok for check in checks)
        body: Readiness = {"status": "ready" if is_ready else "not ready"}
        if isinstance(request.auth, Caller) and request.auth.may(DETAILS):
            body["checks"] = [_in_words(check) for check in checks]
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JsonResponse(body, status=status)


def _in_words(check: health.Check) -> HealthCheck:
    words: HealthCheck = {
        "name": check.name,
        "status": "ok" if check.ok else "missing",
        "detail": check.detail,
    }
    return words if check.ok else {**words, "nextStep": check.next_step}
