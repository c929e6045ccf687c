"""Operators are told of the front page's verdict, once for each change that lasts. In memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from pymongo.errors import AutoReconnect
from standardwebhooks import Webhook

from failed_messages.acting import alert_webhook, alerts
from ordersite.environment import InvalidSetting, env, setting, webhook_secrets
from ordersite.overview.snapshot import Snapshot
from ordersite.pipeline import verdict_alerts
from ordersite.pipeline.verdict_alerts import LASTING_SECONDS, Watch
from tests.overview.snapshots import but, failed, well

SECRETS = [f"whsec_{'A' * 40}", f"whsec_{'B' * 40}"]


class Told:
    """The one document of MongoDB that says what was told last."""

    def __init__(self) -> None:
        self.document: dict[str, Any] | None = None
        self.is_down = False

    def find_one(self, _: Any) -> dict[str, Any] | None:
        if self.is_down:
            raise AutoReconnect("down")
        return self.document

    def update_one(self, wanted: Any, change: Any, upsert: bool = False) -> Any:
        if self.is_down:
            raise AutoReconnect("down")
        known = self.document
        matches = known is not None and wanted.get("level", known["level"]) == known["level"]
        if matches:
            self.document = {**self.document, **change.get("$set", {})}
        elif upsert:
            self.document = change.get("$setOnInsert") or change["$set"]
        return type("Result", (), {"modified_count": int(matches)})


class Pipeline:
    """What the front page shows, and what a webhook was told of it."""

    def __init__(self) -> None:
        self.snapshot = well()
        self.seconds = 0.0
        self.told = Told()
        self.is_deaf = False
        self.posted: list[tuple[bytes, dict[str, str]]] = []
        self.watch = Watch(lambda: self.seconds)

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        if self.is_deaf:
            raise OSError("refused")
        self.posted.append((body, headers))

    def becomes(self, snapshot: Snapshot, for_seconds: float = LASTING_SECONDS) -> list[str]:
        """The headlines of what is told within that time."""
        self.snapshot = snapshot
        known = len(self.posted)
        until = self.seconds + for_seconds
        while self.seconds <= until:
            self.watch.run()
            self.seconds += 10
        return [json.loads(body)["headline"] for body, _ in self.posted[known:]]


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    pipeline = Pipeline()
    monkeypatch.setattr(settings, "ALERT_WEBHOOK_URL", "https://chat.example.com/hook")
    monkeypatch.setattr(settings, "ALERT_WEBHOOK_SECRETS", SECRETS)
    monkeypatch.setattr(verdict_alerts, "current", lambda: pipeline.snapshot)
    monkeypatch.setattr(verdict_alerts, "kept", lambda: pipeline.told)
    monkeypatch.setattr(alert_webhook, "post", pipeline.post)
    return pipeline


BROKEN, DEGRADED = but(relay=False), but(failed=failed())


def test_each_change_is_told_once(pipeline: Pipeline) -> None:
    assert pipeline.becomes(well(), 100) == []
    assert pipeline.becomes(DEGRADED, 100) == ["The pipeline is degraded"]
    assert pipeline.becomes(BROKEN, 100) == ["The pipeline is broken"]
    assert pipeline.becomes(well(), 100) == ["The pipeline is good again"]


def test_what_does_not_last_is_not_told(pipeline: Pipeline) -> None:
    assert pipeline.becomes(BROKEN, LASTING_SECONDS - 11) == []
    assert pipeline.becomes(well(), 100) == []


def test_it_says_whom_it_costs_what_and_what_to_open(pipeline: Pipeline) -> None:
    pipeline.becomes(BROKEN)

    alert = json.loads(pipeline.posted[0][0])
    assert (alert["kind"], alert["verdict"], alert["before"]) == ("verdict", "broken", "good")
    [concern] = alert["concerns"]
    assert "No relay runs" in alert["error"] == concern["what"]
    assert "no stock is reserved and no invoice made" in concern["cost"]
    assert concern["command"] == "python manage.py relay"
    assert concern["url"] == "http://localhost:8000/admin/processes/?kind=relay"
    assert alert["url"] == "http://localhost:8000/admin/"


def test_any_library_of_standard_webhooks_verifies_it(pipeline: Pipeline) -> None:
    pipeline.becomes(BROKEN)

    [(body, headers)] = pipeline.posted
    for secret in SECRETS:
        assert Webhook(secret).verify(body, headers) == json.loads(body)


def test_without_a_secret_it_is_not_signed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ALERT_WEBHOOK_SECRETS", [])
    pipeline.becomes(BROKEN)

    assert pipeline.posted[0][1] == {}


def test_what_reached_nobody_is_told_later_as_the_same_message(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []
    deliver: Callable[..., bool] = alerts.deliver
    monkeypatch.setattr(
        alerts, "deliver", lambda alert, key: keys.append(key) or deliver(alert, key)
    )
    pipeline.is_deaf = True
    assert pipeline.becomes(BROKEN) == []
    pipeline.is_deaf = False

    assert pipeline.becomes(BROKEN) == ["The pipeline is broken"]
    assert len(keys) > 1
    assert len(set(keys)) == 1


def test_of_two_schedulers_one_tells_also_after_a_start(pipeline: Pipeline) -> None:
    assert pipeline.becomes(BROKEN) == ["The pipeline is broken"]
    pipeline.watch = Watch(lambda: pipeline.seconds)

    assert pipeline.becomes(BROKEN, 100) == []


def test_without_mongodb_it_is_told_all_the_same(pipeline: Pipeline) -> None:
    pipeline.told.is_down = True
    assert pipeline.becomes(but(mongodb="it is down"), 100) == ["The pipeline is broken"]
    pipeline.told.is_down = False

    assert pipeline.becomes(well(), 100) == ["The pipeline is good again"]


def test_a_mail_has_a_paragraph_for_each_concern(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    monkeypatch.setattr(settings, "ALERT_EMAILS", ["operators@example.com"])
    pipeline.becomes(but(relay=False, failed=failed()))

    [mail] = mailoutbox
    assert mail.subject.startswith("The pipeline is broken: No relay runs")
    assert "\n\nconcerns: broken No relay runs" in mail.body
    assert "\n\nconcerns: degraded 12 " in mail.body


def test_where_nobody_is_to_be_told_nothing_is_asked(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ALERT_WEBHOOK_URL", "")

    assert pipeline.becomes(BROKEN) == []
    assert pipeline.told.document is None


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("A" * 40, "must start with whsec_"),
        ("whsec_not base64", "is not base64"),
        ("whsec_QUJD", "stands for 3 bytes"),
    ],
)
def test_a_wrong_secret_stops_the_start(
    secret: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_WEBHOOK_SECRETS", secret)

    with pytest.raises(InvalidSetting, match=reason) as stopped:
        setting(env.list, "ALERT_WEBHOOK_SECRETS", validate=webhook_secrets, example="whsec_…")
    assert secret not in str(stopped.value)
