"""All that is wrong in a body of the desk's API is told, each with its pointer. In memory."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from failed_messages.api import bodies
from failed_messages.models import FailedMessage, Status
from runtime.requests.json_body import Also, JsonBody
from runtime.requests.refusal import Refusal
from runtime.requests.rest_framework_parser import JsonParser

ORDER = {"orderId": "674300000000000000000001", "userId": 101, "items": []}
RECORD = FailedMessage(
    service="billing", type="order.placed", body=json.dumps(ORDER).encode(), status=Status.FAILED
)
RECORD.order_id = ORDER["orderId"]
REPLAYED = FailedMessage(service="billing", type="order.placed", status=Status.REPLAYING)


def told(body: JsonBody[Any], also: Also, sent: Any) -> list[str]:
    request = Request(
        APIRequestFactory().post("/", json.dumps(sent), content_type="application/json"),
        parsers=[JsonParser()],
    )
    try:
        body.checked(request, also)
    except Refusal as refusal:
        return [each["pointer"] for each in refusal.errors if each["detail"] and each["fix"]]
    return []


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({"ids": ["a"]}, []),
        ({"group": "a", "dryRun": True}, []),
        ({}, ["#/filter"]),
        ([], ["#"]),
        ({"reason": 5, "colour": "red"}, ["#/colour", "#/reason", "#/filter"]),
        ({"ids": [1, "a", None], "group": "a"}, ["#/ids/0", "#/ids/2", "#/group"]),
        ({"ids": [], "filter": "colour=red"}, ["#/ids", "#/filter", "#/filter"]),
        ({"ids": ["a"], "group": "b"}, ["#/group"]),
        ({"ids": ["a"] * 501, "ratePerSecond": 0}, ["#/ids", "#/ratePerSecond"]),
        ({"filter": "colour=red", "dryRun": 1}, ["#/dryRun", "#/filter"]),
        ({"filter": 5, "group": " "}, ["#/filter", "#/filter", "#/group"]),
    ],
)
def test_replaying_many(sent: Any, pointers: list[str]) -> None:
    assert told(bodies.REPLAY, bodies.faults_in_replay, sent) == pointers


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({"body": ORDER}, ["#/reason", "#/body"]),
        ({"body": "{", "dryRun": True}, ["#/body"]),
        ({"reason": 5, "dryRun": "yes"}, ["#/body", "#/reason", "#/dryRun"]),
        ({"body": [], "reason": " "}, ["#/body", "#/reason"]),
        ({"body": "{", "reason": 5}, ["#/reason", "#/body"]),
    ],
)
def test_editing(sent: Any, pointers: list[str]) -> None:
    also = partial(bodies.faults_in_edit, RECORD)

    assert told(bodies.EDIT, also, sent) == pointers


def test_of_a_message_that_is_not_failed_the_state_is_told_before_the_edit() -> None:
    also = partial(bodies.faults_in_edit, REPLAYED)

    assert told(bodies.EDIT, also, {"body": "{", "reason": "x"}) == []


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({"service": "billing", "after": ["15m"]}, []),
        ({"service": "billing", "after": []}, ["#/after"]),
        ({"service": "biling", "after": "15m"}, ["#/after", "#/service"]),
        ({"service": 5, "after": ["soon", "1h", ""]}, ["#/service", "#/after/0", "#/after/2"]),
        ({"reason": "luck", "group": 5}, ["#/after", "#/group", "#/reason"]),
    ],
)
def test_a_policy(sent: Any, pointers: list[str]) -> None:
    assert told(bodies.POLICY, bodies.faults_in_policy, sent) == pointers


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({"owner": "me"}, []),
        ([], ["#"]),
        ({"colour": "red"}, ["#/colour"]),
        ({"owner": 5}, ["#/owner"]),
        ({"owner": 5, "status": "fixed", "link": "ftp:1"}, ["#/owner", "#/link", "#/fixedIn"]),
        ({"status": "fixed", "fixedIn": None}, ["#/fixedIn"]),
    ],
)
def test_triage(sent: Any, pointers: list[str]) -> None:
    assert told(bodies.TRIAGE, bodies.faults_in_triage, sent) == pointers


@pytest.mark.parametrize("sent", [{}, {"reason": " "}, {"reason": 5}, {"reason": None}])
def test_a_reason_that_has_to_be_given(sent: Any) -> None:
    assert told(bodies.REASONED_ACT, lambda _: [], sent) == ["#/reason"]
