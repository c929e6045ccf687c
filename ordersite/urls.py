"""The site's addresses: the API's, the health checks' and the admin's."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from ordersite.openapi import problem_pages, views
from ordersite.overview import order_needs
from ordersite.pipeline import health_views, shipping_consent
from ordersite.pipeline.conservation_views import ConservationView
from ordersite.pipeline.metrics_view import MetricsView
from ordersite.pipeline.timeline_views import TimelineEventsView, TimelineView
from ordersite.start_page import start_page
from ordersite.web import problems
from ordersite.workplace import products

# What only who answers a request needs; a worker starts sooner without it, and is smaller.
admin.autodiscover()
order_needs.register()
shipping_consent.register()
products.register()

urlpatterns = [
    path("", start_page, name="start"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/live", health_views.live),
    path("health/serving", health_views.serving),
    path("health/ready", health_views.ReadinessView.as_view(), name="health-ready"),
    path("pipeline/conservation", ConservationView.as_view()),
    path("metrics", MetricsView.as_view()),
    path("docs", views.docs, name="docs"),
    path("docs/events", views.event_docs, name="event-docs"),
    path("openapi.json", views.openapi_json, name="openapi"),
    path("asyncapi.yaml", views.asyncapi_yaml, name="asyncapi"),
    path("problems", problem_pages.all_kinds, name="problems"),
    path("problems/<str:name>", problem_pages.one_kind, name="problem"),
    path("", include("ordersite.access.urls")),
    path("", include("billing.urls")),
    path("", include("inventory.urls")),
    path("", include("webhooks.urls")),
    path("orders/<str:order_id>/timeline", TimelineView.as_view(), name="timeline"),
    path("orders/<str:order_id>/events", TimelineEventsView.as_view(), name="timeline-events"),
    path("", include("orders.urls")),
    path("", include("failed_messages.urls")),
    *([path("oidc/", include("mozilla_django_oidc.urls"))] if settings.OIDC_ISSUER else []),
    # A client of the API gets a problem also where Django would show a developer its own page.
    path("<path:address>", problems.no_such_address),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
