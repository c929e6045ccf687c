"""API keys in the admin: made and shown once, rotated, revoked; never edited or deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from messaging.outages import is_outage
from messaging.user_link import user_link
from ordersite.access import keys
from ordersite.access.authentication import caller_of_user
from ordersite.access.bodies import MOST_DAYS
from ordersite.access.keys import InvalidKey, MadeBefore, NewKey
from ordersite.access.models import ApiKey
from ordersite.access.scopes import CUSTOMERS, SCOPES
from runtime import form_id
from runtime.moment import exact
from runtime.paginator import CollectionPaginator

logger = logging.getLogger(__name__)

NOT_ROTATED = "The API key %s was not rotated in the admin."
SEE_LOG = "was not rotated, because of an error. The web server's log says why; then try again."


class KeyForm(forms.ModelForm):
    """What a new key is to be."""

    user_id = forms.IntegerField(
        label="User id",
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        help_text="The customer for whose orders the key is; empty: a shop, for all orders.",
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope.name, f"{scope.name}: {scope.allows}") for scope in SCOPES.values()],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label="Expires in days",
        min_value=1,
        max_value=MOST_DAYS,
        initial=keys.LIFETIME.days,
        required=False,
        help_text="Empty: never.",
    )
    rate = forms.IntegerField(
        label="Requests a second",
        min_value=1,
        max_value=keys.MOST_REQUESTS_A_SECOND,
        required=False,
        help_text="Empty: the default rate.",
    )

    #: A form that is sent twice, as by a double click, makes one key.
    request = form_id.field()

    class Meta:
        model = ApiKey
        fields = ["name", "user_id", "scopes", "rate"]

    def clean_name(self) -> str:
        """As over HTTP and in the terminal."""
        name = str(self.cleaned_data["name"])
        if not keys.is_name(name):
            raise forms.ValidationError(f"The name {keys.NAME}.")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        denied = sorted(set(cleaned.get("scopes", ())) - CUSTOMERS)
        if cleaned.get("user_id") is not None and denied:
            self.add_error("scopes", f"{', '.join(denied)} cannot be a customer's.")
        return cleaned


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Users who may change keys create them; a key is then only read, rotated and revoked."""

    form = KeyForm
    list_display = ["name", "id", "condition", "user", "what", "expires_at", "last_used_at"]
    search_fields = ["id"]
    search_help_text = "Key id"
    sortable_by = ()
    show_full_result_count = False
    paginator = CollectionPaginator
    actions = ["rotate", "revoke"]

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            asked = ["name", "user_id", "scopes", "days", "rate", "request"]
            return [(None, {"fields": asked})]
        held = ["name", "id", "condition", "user", "what", "rate"]
        times = ["created_at", "created_by", "expires_at", "revoked_at", "revoked_by"]
        return [(None, {"fields": [*held, *times, "last_used_at"]})]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        """Search for whole ids, as parts of them have no index."""
        term = search_term.strip()
        return (queryset.filter(pk=term) if term else queryset), False

    def has_write_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_write_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_write_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Who holds a key knows what it may do, so that does not change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Logs and orders name it; it is revoked instead."""
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except MadeBefore as error:
            said = (
                f"No further key was made: this form has made the key {error.id} before, and "
                "showed its secret then. Rotate that key if nobody has it; open the form again for "
                "another one."
            )
            self.message_user(request, said, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:access_apikey_changelist"))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        check_own(request, obj.scopes)
        days = form.cleaned_data["days"]
        obj.new = keys.create(  # type: ignore[attr-defined]
            obj.name,
            obj.scopes,
            by=request.user.get_username(),
            user_id=obj.user_id,
            lifetime=timedelta(days=days) if days else None,
            rate=obj.rate,
            request=form_id.key(request, form.cleaned_data["request"]),
        )
        obj.pk = obj.new.record.pk  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._shown_once(request, [obj.new])  # type: ignore[attr-defined]

    @admin.action(description="Rotate the selected keys", permissions=["write"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """What was made is shown whatever follows: nobody could find its secret out again."""
        records = list(queryset)
        for record in records:
            check_own(request, record.scopes)
        made: list[NewKey] = []
        for record in records:
            try:
                made.append(keys.rotate(record.pk, by=request.user.get_username()))
            except InvalidKey as error:
                self.message_user(request, f"{record} {error}.", messages.ERROR)
            except Exception as error:
                if is_outage(error) and not made:
                    raise
                logger.exception(NOT_ROTATED, record.pk)
                self.message_user(request, f"{record} {SEE_LOG}", messages.ERROR)
                if is_outage(error):
                    break
        return self._shown_once(request, made) if made else None

    @admin.action(description="Revoke the selected keys", permissions=["write"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for record in queryset:
            if record.revoked_at:
                said = f"{record} was revoked already, at {exact(record.revoked_at)}."
                self.message_user(request, said, messages.WARNING)
                continue
            keys.revoke(record.pk, by=request.user.get_username())
            self.message_user(request, f"{record} is revoked.")

    @admin.display(description="state")
    def condition(self, record: ApiKey) -> str:
        return record.state

    @admin.display(description="user id")
    def user(self, record: ApiKey) -> SafeString | str:
        return user_link(record.user_id)

    @admin.display(description="scopes")
    def what(self, record: ApiKey) -> str:
        return ", ".join(record.scopes)

    def _shown_once(self, request: HttpRequest, made: Sequence[NewKey]) -> HttpResponse:
        """Never by a redirect: that would keep the key in a cookie until the next page."""
        context = {**self.admin_site.each_context(request), "title": "New API key", "made": made}
        response = TemplateResponse(request, "ordersite/new_keys.html", context)
        response["Cache-Control"] = "no-store"
        return response


def check_own(request: HttpRequest, scopes: Iterable[str]) -> None:
    """Raises PermissionDenied: the user would give what they do not have."""
    if not caller_of_user(request.user).scopes.issuperset(scopes):
        raise PermissionDenied
