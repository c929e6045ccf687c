"""The site as Django answers it, and the admin's static files; for any server that speaks WSGI."""

import logging
import os

import django
from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise import WhiteNoise

os.environ["DJANGO_SETTINGS_MODULE"] = "ordersite.settings"

django.setup(set_prefix=False)

# Only now does Django know its settings. The views come now, so that no request waits for them.
import ordersite.urls  # noqa: E402, F401
from ordersite.web import security_headers, traced_requests  # noqa: E402
from ordersite.web.route import ROUTE, route_of  # noqa: E402
from ordersite.web.whole_request import UTF8Request  # noqa: E402
from runtime.tracing import spans  # noqa: E402

if settings.API_IS_OPEN:
    logging.getLogger(__name__).warning(
        "The API is open: this is development (DJANGO_DEBUG), so anyone may place, read and cancel "
        "orders without a key."
    )


class Handler(WSGIHandler):
    request_class = UTF8Request

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        response = super().get_response(request)
        route = request.META.setdefault(ROUTE, route_of(request))
        if spans.is_on():
            traced_requests.name_route(route)
        return response


application = WhiteNoise(Handler(), add_headers_function=security_headers.of_files)
# Straight from the apps' folders: no build step that a deployment can forget.
for storage in AppDirectoriesFinder().storages.values():
    application.add_files(storage.location, prefix="static/")
