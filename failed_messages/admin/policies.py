"""Policies of scheduled replay in the admin: set one, end one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from failed_messages.acting.policies import (
    InvalidPolicy,
    check,
    in_words,
    seconds_of,
    set_policy,
    switch_off,
)
from failed_messages.acting.second_person import Waits
from failed_messages.admin.pages import DeskAdmin
from failed_messages.models import REASON_LABELS, ReplayPolicy
from failed_messages.reading.filters import duration
from failed_messages.records.collection import replay_policies
from failed_messages.records.last_act import last_act
from failed_messages.records.permissions import REPLAY, lacks, may
from messaging.service import services

ANY = ("", "any")


class PolicyForm(forms.ModelForm):
    """What an operator says about a policy."""

    data: Any

    service = forms.ChoiceField(
        required=False, choices=[("", "-"), *((name, name) for name in services())]
    )
    group = forms.CharField(
        required=False, help_text="A group's fingerprint, in place of a service"
    )
    reason = forms.ChoiceField(required=False, choices=[ANY, *REASON_LABELS.items()])
    after = forms.CharField(
        initial="15m, 1h, 6h",
        help_text="One replay after each of these, counted from the message's latest death; "
        "then it is left to a person.",
    )

    #: Which policy of the same scope the user has been asked about, by when it was set.
    replaces = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = ReplayPolicy
        fields = ()

    def clean_group(self) -> str:
        return str(self.cleaned_data["group"]).lower()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            delays = [duration(part.strip()) for part in cleaned.get("after", "").split(",")]
            check(delays, *(cleaned.get(name, "") for name in ("service", "group", "reason")))
        except InvalidPolicy as error:
            for each in error.all():
                self.add_error(each.field, f"{each.detail}. {each.fix}")
        except ValueError as error:
            self.add_error("after", str(error))
        else:
            cleaned["delays"] = delays
            self._ask_before_replacing(cleaned)
        return cleaned

    def _ask_before_replacing(self, cleaned: dict[str, Any]) -> None:
        scope = (
            f"service {cleaned['service']}" if cleaned["service"] else f"group {cleaned['group']}"
        )
        known = replay_policies().find_one({"_id": scope, "enabled": True})
        asked = {"reason": cleaned["reason"], "delays_seconds": seconds_of(cleaned["delays"])}
        self.known = known if known and asked.items() <= known.items() else None
        if known is None or self.known:
            return
        which = known["at"].isoformat() if known.get("at") else "no date"
        if cleaned["replaces"] == which:
            return
        self.data: Any = self.data.copy()
        self.data["replaces"] = which
        self.add_error(
            "after",
            f"There is a policy of {scope}: {in_words(known)}. Nothing is saved yet: save again to "
            "replace it.",
        )


@admin.register(ReplayPolicy)
class ReplayPolicyAdmin(DeskAdmin):
    """Nothing is replayed unasked until there is one."""

    form = PolicyForm
    change_list_template = "failed_messages/list.html"
    list_display = ("id", "reason", "after", "enabled", "by", "at")
    list_display_links = None
    actions = ("end_selected",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obstacles = [] if self.has_replay_permission(request) else [lacks(REPLAY)]
        return super().changelist_view(request, {"obstacles": obstacles, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_replay_permission(request)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return may(request.user, REPLAY)

    def save_model(self, request: HttpRequest, obj: ReplayPolicy, form: Any, change: Any) -> None:
        cleaned = form.cleaned_data
        names = ("service", "group", "reason")
        chosen = {name: cleaned[name] for name in names}
        obj.before = in_words(form.known) if form.known else ""
        try:
            obj.pk = set_policy(request.user.get_username(), delays=cleaned["delays"], **chosen)
        except Waits as waits:
            obj.waits = waits

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The audit log has it."""

    def response_add(
        self, request: HttpRequest, obj: ReplayPolicy, post_url_continue: str | None = None
    ) -> HttpResponse:
        if waits := getattr(obj, "waits", None):
            return self.told_to_wait(request, waits)
        said = f"was on already, and stays as it is: {obj.before}" if obj.before else "is on"
        self.message_user(request, f"The policy of {obj.pk} {said}.", messages.SUCCESS)
        return self.response_post_save_add(request, obj)

    @admin.display(description="replays after")
    def after(self, policy: ReplayPolicy) -> str:
        return ", ".join(f"{seconds / 60:g} min" for seconds in policy.delays_seconds)

    @admin.action(description="End the selected policies", permissions=["replay"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for policy in queryset:
            if switch_off(policy.pk, request.user.get_username()):
                self.message_user(request, f"The policy of {policy.pk} is off.", messages.SUCCESS)
            else:
                said = f"The policy of {policy.pk} was off already ({last_act(policy.pk)})."
                self.message_user(request, said, messages.WARNING)
