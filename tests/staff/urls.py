"""The site's addresses where there is a provider."""

from django.urls import include, path

from ordersite.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), *urlpatterns]
