"""Endpoints: their secret is shown once, on no page that has an address."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.outages import is_outage
from messaging.user_link import user_link
from runtime import form_id
from runtime.moment import FIELD_FORMAT
from runtime.mongodb_clock import mongodb_now
from runtime.paginator import CollectionPaginator
from runtime.requests.number import number_in
from webhooks import managing
from webhooks.addresses import fault_of_url
from webhooks.bodies import DESCRIPTION, known_types
from webhooks.disabling import disable, enable
from webhooks.models import Endpoint
from webhooks.rotation import OVERLAP_HOURS, is_shown, newest
from webhooks.sending_again import send_all_again
from webhooks.store import Document, deliveries, endpoints

MADE_BEFORE = "This form has made an endpoint before. Open it again for one more."
HAS_ALL = f"It has {managing.MOST_OF_A_CUSTOMER} endpoints, as many as a customer may have."
ROTATED_MEANWHILE = (
    "got another secret, or was deleted, at the same moment: it was not rotated once more."
)
NOT_ROTATED = "The secret of the webhook endpoint %s was not rotated in the admin."
SEE_LOG = "was not rotated, because of an error. The web server's log says why; then try again."
OFF = "This site sends no webhooks. Its operator turns them on with WEBHOOKS=true."

logger = logging.getLogger(__name__)


class EndpointForm(forms.ModelForm):
    """What an endpoint is to be."""

    url = forms.CharField(label="URL", max_length=2000, widget=forms.URLInput(attrs={"size": 80}))
    description = forms.CharField(
        max_length=200,
        required=False,
        validators=[RegexValidator(DESCRIPTION, "Enter one line, without control characters.")],
    )
    user_id = forms.IntegerField(
        label="User id",
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        help_text="The customer of whose orders it hears; empty: it hears of all orders.",
    )
    types = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    #: A form that is sent twice, as by a double click, makes one endpoint.
    request = form_id.field()

    class Meta:
        model = Endpoint
        fields = ["url", "description", "user_id", "types"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # An endpoint keeps its owner.
            self.fields.pop("user_id", None)
            self.fields.pop("request", None)
        self.fields["types"].choices = [(type_, type_) for type_ in known_types()]  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if fault := fault_of_url(url):
            raise forms.ValidationError(f"The URL {fault}.")
        return url

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk:
            return cleaned
        user_id = cleaned.get("user_id")
        if not settings.WEBHOOKS:
            raise forms.ValidationError(OFF)
        if user_id is not None and managing.has_all(user_id):
            self.add_error("user_id", HAS_ALL)
        return cleaned


def a_day_ago() -> datetime:
    return mongodb_now() - timedelta(days=1)


class MissedForm(forms.Form):
    """Since when."""

    since = forms.DateTimeField(
        label="Since, in UTC",
        initial=a_day_ago,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=FIELD_FORMAT),
    )


class ActionOfOneList(ActionForm):
    """An action, and the list that it was chosen in: a second click sends no second test."""

    request = form_id.field()
    # An action's form shows the label of a hidden field, too.
    request.label = ""


class EndpointAdmin(admin.ModelAdmin):
    """Who may change endpoints makes and deletes them, too; more is done by the actions."""

    form = EndpointForm
    list_display = ["url", "id", "condition", "user", "what", "last_success_at", "failures"]
    list_filter = ["state"]
    search_fields = ["id"]
    search_help_text = "Endpoint id or user id"
    sortable_by = ()
    show_full_result_count = False
    paginator = CollectionPaginator
    readonly_fields = ["id", "user", "what", "deliveries", "condition", "disabled_at"]
    readonly_fields += ["last_success_at", "failures", "failing_since", "held_until", "next_at"]
    readonly_fields += ["created_at", "created_by"]
    action_form = ActionOfOneList
    actions = ["test", "send_again", "enable", "disable", "rotate"]

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["url", "description", "user_id", "types", "request"]})]
        types = "types" if self.has_write_permission(request) else "what"
        about = ["url", "id", "description", "user", types, "deliveries"]
        lately = ["condition", "disabled_at", "last_success_at", "failures", "failing_since"]
        times = ["held_until", "next_at", "created_at", "created_by"]
        return [(None, {"fields": [*about, *lately, *times]})]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Endpoint], search_term: str
    ) -> tuple[QuerySet[Endpoint], bool]:
        """Search for whole ids, as parts of them have no index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(pk=term.lower())
        if (user_id := number_in(term)) is not None:
            wanted |= Q(user_id=user_id)
        return queryset.filter(wanted), False

    def has_write_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_write_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_write_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        return self.has_write_permission(request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With how much of the log is deleted, too."""
        deleted, counts, *lacking = super().get_deleted_objects(objs, request)
        log = deliveries().count_documents({"endpoint": {"$in": [each.pk for each in objs]}})
        return deleted, {**counts, "deliveries in its log": log}, *lacking

    def delete_model(self, request: HttpRequest, obj: Endpoint) -> None:
        managing.delete(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for id_ in list(queryset.values_list("pk", flat=True)):
            managing.delete(id_)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except (managing.OtherRequest, managing.TooMany) as error:
            is_other = isinstance(error, managing.OtherRequest)
            self.message_user(request, MADE_BEFORE if is_other else HAS_ALL, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:webhooks_endpoint_changelist"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What the site has written of a change has the same effect as over HTTP."""
        super().save_related(request, form, formsets, change)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changes}
            managing.change(form.instance.pk, changes)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        made = managing.create(
            obj.url,
            form.cleaned_data["types"],
            user_id=obj.user_id,
            description=obj.description,
            by=request.user.get_username(),
            key=form_id.key(request, form.cleaned_data["request"]),
        )
        if not is_shown(made.endpoint, mongodb_now()):
            raise managing.OtherRequest
        obj.pk = made.endpoint["_id"]
        obj.made = made.endpoint  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._shown_once(request, [obj.made])  # type: ignore[attr-defined]

    @admin.action(description="Send a test to the selected endpoints", permissions=["write"])
    def test(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        key = form_id.key(request, request.POST.get("request", ""))
        for stored in self._stored(request, queryset):
            if why := why_not(stored):
                self.message_user(request, f"{stored['url']}: {why}", messages.ERROR)
                continue
            test, was_there = managing.send_test(stored, key)
            page = reverse("admin:webhooks_delivery_change", args=[test["_id"]])
            what = "was sent already; nothing more is sent." if was_there else "is sent."
            said = format_html('{}: <a href="{}">the test</a> {}', stored["url"], page, what)
            self.message_user(request, said)

    @admin.action(description="Send again what the selected missed", permissions=["write"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        """First the page that asks since when, then for each endpoint what it missed."""
        stored = self._stored(request, queryset)
        form = MissedForm(request.POST if "since" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": "Send again",
                "form": form,
                "endpoints": stored,
                "ids": [each["_id"] for each in stored],
            }
            return TemplateResponse(request, "webhooks/missed.html", context)
        since, by = form.cleaned_data["since"], request.user.get_username()
        for each in stored:
            if why := why_not(each):
                self.message_user(request, f"{each['url']}: {why}", messages.ERROR)
                continue
            count = send_all_again(each["_id"], since, by)
            self.message_user(request, f"{each['url']}: sent again: {count:,}.", messages.SUCCESS)
        return None

    @admin.action(description="Enable the selected endpoints", permissions=["write"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for stored in self._stored(request, queryset):
            if stored["state"] == "enabled":
                self._unchanged(request, stored, "was enabled already")
                continue
            enable(stored["_id"])
            self.message_user(request, f"{stored['url']} is enabled.")

    @admin.action(description="Disable the selected endpoints", permissions=["write"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for stored in self._stored(request, queryset):
            if stored["state"] == "disabled":
                self._unchanged(request, stored, f"was disabled already: {stored['reason']}")
                continue
            reason = f"{request.user.get_username()} disabled it."
            disable(stored["_id"], reason, mongodb_now())
            self.message_user(request, f"{stored['url']} is disabled.")

    @admin.action(description="Rotate the secrets of the selected", permissions=["write"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        """What was made is shown whatever follows: nobody could find its secret out again."""
        by, overlap = request.user.get_username(), timedelta(hours=OVERLAP_HOURS)
        made: list[Document] = []
        for stored in self._stored(request, queryset):
            try:
                if rotated := managing.rotate(stored, overlap, by):
                    made.append(rotated)
                else:
                    self._unchanged(request, stored, ROTATED_MEANWHILE)
            except Exception as error:
                if is_outage(error) and not made:
                    raise
                logger.exception(NOT_ROTATED, stored["_id"])
                self.message_user(request, f"Endpoint {stored['_id']} {SEE_LOG}", messages.ERROR)
                if is_outage(error):
                    break
        return self._shown_once(request, made) if made else None

    def _unchanged(self, request: HttpRequest, stored: Document, why: str) -> None:
        self.message_user(request, f"{stored['url']} {why}", messages.WARNING)

    @admin.display(description="state")
    def condition(self, endpoint: Endpoint) -> str:
        return f"{endpoint.state}: {endpoint.reason}" if endpoint.reason else endpoint.state

    @admin.display(description="user id")
    def user(self, endpoint: Endpoint) -> SafeString | str:
        return user_link(endpoint.user_id)

    @admin.display(description="types")
    def what(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.types)

    @admin.display(description="deliveries")
    def deliveries(self, endpoint: Endpoint) -> SafeString:
        page = reverse("admin:webhooks_delivery_changelist")
        return format_html('<a href="{}?q={}">All deliveries</a>', page, endpoint.pk)

    def _stored(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> list[Document]:
        ids = list(queryset.values_list("pk", flat=True))
        return list(endpoints().find({"_id": {"$in": ids}}))

    def _shown_once(self, request: HttpRequest, made: Sequence[Document]) -> HttpResponse:
        """Never by a redirect: that would keep the secret in a cookie until the next page."""
        shown = [{"url": each["url"], "secret": newest(each["secrets"])} for each in made]
        context = {
            **self.admin_site.each_context(request),
            "title": "New secret",
            "made": shown,
            "overlap_hours": OVERLAP_HOURS,
        }
        response = TemplateResponse(request, "webhooks/secrets.html", context)
        response["Cache-Control"] = "no-store"
        return response


def why_not(endpoint: Document) -> str:
    """Why nothing can be sent to the endpoint; empty where it can."""
    if not settings.WEBHOOKS:
        return OFF
    return "" if endpoint["state"] == "enabled" else "it is disabled: enable it first."
