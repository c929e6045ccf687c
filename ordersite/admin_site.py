"""The admin site, for operators."""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from typing import Any

import pymongo
from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from pymongo.errors import PyMongoError

from ordersite.careful_admin import CarefulAdmin
from ordersite.doctor.examination import examine
from ordersite.overview.charts import say_wrong_span
from ordersite.overview.page import overview, part, wall, without_database
from ordersite.overview.processes_page import processes_page
from ordersite.overview.stored_snapshot import keep_report
from ordersite.passwords import known_browser
from ordersite.personal_data.page import personal_data_page
from ordersite.staff import second_factor
from ordersite.staff.forms import ChangeOwnPassword, LoginForm
from ordersite.staff.page import roles_page
from ordersite.staff.second_factor_page import second_factor_page
from ordersite.web.problems import is_database_unavailable
from ordersite.workplace.acts import act
from ordersite.workplace.search import search_page

#: What an operator reads first comes first; what is not named here comes last.
APP_ORDER = [
    *("failed_messages", "orders", "inventory", "billing", "webhooks"),
    *("access", "simulated_faults"),
]

#: What MongoDB may take to say who is logged in, until the page says that it is down.
LOGIN_SECONDS = 1.0
#: What it may take to keep the doctor's findings.
KEEPING_SECONDS = 1.0


class OrderSite(AdminSite):
    site_header = site_title = "ordersite"
    index_title = "Operator's desk"
    # There is no site to view beside this one: the rest is the API.
    site_url = None
    # A laptop's width belongs to the lists; the first page has every link.
    enable_nav_sidebar = False
    login_form = LoginForm

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any
    ) -> None:
        """As Django's, with change forms that put nothing back that others have changed."""
        own = admin_class or ModelAdmin
        careful: Any = type(own.__name__, (CarefulAdmin, own), {"__module__": own.__module__})
        super().register(model_or_iterable, careful, **options)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The front page, which begins with how all is."""
        say_wrong_span(request)
        return super().index(request, {**(extra_context or {}), "overview": overview(request)})

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """An app's own page begins in the same way."""
        say_wrong_span(request)
        context = {**(extra_context or {}), "overview": overview(request)}
        return super().app_index(request, app_label, context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """One search for everything."""
        return search_page(request, self.each_context(request))

    def wall(self, request: HttpRequest) -> HttpResponse:
        """The front page for a screen on the wall."""
        say_wrong_span(request)
        return wall(request, self.each_context(request))

    def get_urls(self) -> list[Any]:
        return [
            path("overview/", self.admin_view(part), name="overview"),
            path("wall", self.admin_view(self.wall), name="wall"),
            path("search", self.admin_view(self.search), name="search"),
            path(
                "orders/order/<str:order_id>/act/<str:what>/",
                self.admin_view(act),
                name="order-act",
            ),
            path("doctor/", self.admin_view(self.doctor), name="doctor"),
            path("processes/", self.admin_view(self.processes), name="processes"),
            path("personal-data/", self.admin_view(self.personal_data), name="personal-data"),
            path("second-factor/", super().admin_view(self.second_factor), name="second-factor"),
            path("roles/", self.admin_view(self.roles), name="roles"),
            # Django's own view fails on an id that is not an ObjectId; nothing here has such a
            # page.
            path("r/<path:rest>", self.admin_view(no_such_page)),
            *super().get_urls(),
        ]

    def doctor(self, request: HttpRequest) -> HttpResponse:
        """What `python manage.py doctor` says, now, and so the front page; for who sees orders."""
        if not request.user.has_perm("orders.view_order"):
            raise PermissionDenied
        report = examine()
        with suppress(PyMongoError), pymongo.timeout(KEEPING_SECONDS):
            keep_report(report)
        context = {
            **self.each_context(request),
            "title": "Doctor",
            "checked_at": timezone.now(),
            "report": report,
        }
        return TemplateResponse(request, "ordersite/doctor.html", context)

    def processes(self, request: HttpRequest) -> HttpResponse:
        """Every process that there is; for who sees orders."""
        return processes_page(request, self.each_context(request))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's own page, whose form writes the password alone."""
        view = PasswordChangeView.as_view(
            form_class=ChangeOwnPassword,
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name  # type: ignore[attr-defined]
        return view(request)

    def personal_data(self, request: HttpRequest) -> HttpResponse:
        """Everything of a person, to export or to erase."""
        return personal_data_page(request, self.each_context(request))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's own page, with a link to the provider where there is one."""
        context = {**(extra_context or {}), "sign_on": bool(settings.OIDC_ISSUER)}
        try:
            if request.method == "GET":
                # Whose session it is: MongoDB may take as long for that as before any page.
                with pymongo.timeout(LOGIN_SECONDS):
                    _ = request.user.is_authenticated
            response = super().login(request, context)
        except Exception as error:
            if is_database_unavailable(error):
                return without_database(request, error)
            raise
        if request.method == "POST" and request.user.is_authenticated:
            known_browser.remember(response, request.user.get_username())
        return response

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's own, and first of all the second factor where a setting asks for one."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                with pymongo.timeout(LOGIN_SECONDS):
                    # Asks MongoDB, unless no one is logged in.
                    _ = request.user.is_authenticated
                    is_missing = second_factor.is_missing(request.user, request.session)
            except Exception as error:
                if is_database_unavailable(error):
                    return without_database(request, error)
                raise
            if is_missing:
                return HttpResponseRedirect(reverse("admin:second-factor"))
            answer: HttpResponse = inner(request, *args, **kwargs)
            return answer

        return guarded

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Where each user sets up their own."""
        return second_factor_page(request, self.each_context(request))

    def roles(self, request: HttpRequest) -> HttpResponse:
        """Who may do what."""
        return roles_page(request, self.each_context(request))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return sorted(super().get_app_list(request, app_label), key=_place)


def no_such_page(request: HttpRequest, rest: str) -> HttpResponse:
    raise Http404("nothing in the admin has a page on the site")


def _place(app: dict[str, Any]) -> int:
    label = app["app_label"]
    return APP_ORDER.index(label) if label in APP_ORDER else len(APP_ORDER)
