"""The desk over HTTP: for staff, with the same verbs and filters as the admin."""

from __future__ import annotations

import base64
import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from failed_messages.acting.job_runner import advance_jobs
from failed_messages.models import AuditEntry, FailedMessage
from tests import broker
from tests.failed_messages.copies import copies
from tests.failed_messages.letters import ORDER_ID, certificate, failed, record
from tests.failed_messages.staff import staff
from tests.failed_messages.test_admin import XSS
from tests.failed_messages.test_editing import RIGHT, WRONG

pytestmark = pytest.mark.usefixtures("clean")

URL = "/failed-messages"


def get(client: Client, path: str = "", status: int = 200):
    response = client.get(URL + path)
    assert response.status_code == status, response.content
    return response.json()


def post(client: Client, path: str, body: object = None, status: int = 200):
    response = client.post(URL + path, json.dumps(body or {}), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def test_list_and_detail():
    stored = failed()
    client = staff()
    [item] = get(client)["items"]
    assert (item["id"], item["group"], item["orderId"]) == (
        str(stored.pk),
        stored.fingerprint,
        ORDER_ID,
    )
    shown = get(client, f"/{stored.pk}")
    assert shown["certificates"][0]["exception"] == "TimeoutError"
    for nothing in ("nonsense", "0" * 24):
        get(client, f"/{nothing}", 404)


def test_pages_follow_each_other_though_new_ones_come():
    copies(7)
    client = staff()
    first = get(client, "?limit=3")
    failed(message_id="newest")
    second = get(client, first["next"].removeprefix("/failed-messages"))
    third = get(client, second["next"].removeprefix("/failed-messages"))

    seen = [item["messageId"] for page in (first, second, third) for item in page["items"]]
    assert sorted(seen) == [f"m{number}" for number in range(7)]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("service=billing", True),
        ("service=orders", False),
        ("type=order.placed", True),
        ("reason=attempts_used_up&status=failed", True),
        ("status=resolved", False),
        (f"orderId={ORDER_ID}", True),
        ("userId=500", True),
        ("userId=5", False),
        (f"messageId=order.placed:{ORDER_ID}", True),
        ("error=TIMED+out", True),
        ("error=.*", False),
        (f"q={ORDER_ID}", True),
        ("q=timeouterror", True),
        ("newerThan=1h", True),
        ("olderThan=1h", False),
        ("group=000000000000", False),
    ],
)
def test_filters(query, found):
    failed()
    assert len(get(staff(), f"?{query}")["items"]) == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("service=shipping", "service"),
        ("newerThan=soon", "newerThan"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        # Of the list of groups.
        ("cursor=MCAwMDAwMDAwMDAwMDA=", "cursor"),
        *(
            (f"{name}=", name)
            for name in ("service", "status", "olderThan", "q", "cursor", "limit")
        ),
        ("q=+", "q"),
    ],
)
def test_a_bad_parameter_is_named(query, field):
    [error] = get(staff(), f"?{query}", 400)["errors"]
    assert error["field"] == field


def test_every_verb():
    client = staff()
    stored = failed()
    assert "reason: must be given." in post(client, f"/{stored.pk}/discard", {}, 400)["detail"]
    post(client, f"/{stored.pk}/discard", {"reason": "test"})
    assert "discarded" in post(client, f"/{stored.pk}/replay", {}, 409)["detail"]
    post(client, f"/{stored.pk}/restore")
    assert post(client, f"/{stored.pk}/replay", {"reason": "fixed"})["done"]
    post(client, f"/{stored.pk}/vanish", {}, 404)
    assert record(stored.pk).status == "replaying"

    broken = failed(body=json.dumps(WRONG).encode(), message_id="b")
    [error] = post(client, f"/{broken.pk}/edit", {"body": WRONG, "reason": "x"}, 400)["errors"]
    assert "items[0].unitPrice is missing" in error["detail"]
    shown = post(client, f"/{broken.pk}/edit", {"body": RIGHT, "dryRun": True})["diff"]
    assert '+       "unitPrice": "1.00"' in shown
    assert record(broken.pk).status == "failed"
    copy = post(client, f"/{broken.pk}/edit", {"body": RIGHT, "reason": "price"})
    assert get(client, f"/{copy['id']}")["parent"] == str(broken.pk)
    assert get(client, f"/{broken.pk}")["editedAs"] == [copy["id"]]
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert acts == {"discard", "restore", "replay", "edit"}


def test_replay_of_many_is_previewed_and_then_a_job():
    ids = copies(3)
    client = staff()
    group = FailedMessage.objects.first().fingerprint
    known = post(client, "/replay", {"group": group, "dryRun": True})
    assert (known["messages"], known["services"]) == (3, {"billing": 3})
    assert known["sentences"][0] == "3 messages to billing only."
    assert broker.depth("billing") == 0

    job = post(client, "/replay", {"filter": "service=billing&status=failed"}, 202)
    advance_jobs()
    assert get(client, f"/jobs/{job['id']}")["messages"]["sent"] == 1
    post(client, f"/jobs/{job['id']}/pause")
    assert post(client, f"/jobs/{job['id']}/cancel")["state"] == "cancelled"
    post(client, f"/jobs/{job['id']}/resume", {}, 409)
    assert len(get(client, "/jobs")["items"]) == 1

    told = post(client, "/replay", {"ids": [str(id_) for id_ in ids]})["items"]
    assert sorted(each["done"] for each in told) == [False, True, True]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filter"),
        ({"group": "a", "filter": "service=billing"}, "filter"),
        ({"filter": "colour=red"}, "filter"),
        ({"filter": "service"}, "filter"),
        ({"ids": "all"}, "ids"),
        ({"ids": [{"$ne": 1}]}, "ids[0]"),
        ({"group": {"$ne": ""}}, "group"),
        ({"group": "a", "ratePerSecond": 10_000}, "ratePerSecond"),
        ([], "body"),
    ],
)
def test_a_replay_that_is_not_clear_is_refused(body, field):
    response = staff().post(f"{URL}/replay", json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field


def test_groups_and_triage():
    stored = failed()
    client = staff()
    [group] = get(client, "/groups?service=billing&status=new")["items"]
    assert (group["fingerprint"], group["failedNow"], group["deaths"]) == (stored.fingerprint, 1, 1)
    assert sum(group["deathsByHour"]) == 1
    assert get(client, "/groups?service=orders")["items"] == []
    get(client, "/groups?colour=red", 400)

    path = f"{URL}/groups/{stored.fingerprint}"
    change = {"status": "fixed", "fixedIn": "1.0", "owner": "me"}
    answer = client.patch(path, json.dumps(change), content_type="application/json").json()
    assert (answer["status"], answer["fixedIn"], answer["owner"]) == ("fixed", "1.0", "me")
    bad = client.patch(path, '{"link": "javascript:1"}', content_type="application/json")
    assert bad.json()["errors"][0]["field"] == "link"
    get(client, "/groups/nonsense", 404)


def test_all_that_is_wrong_in_a_body_is_told():
    client = staff()

    def fields(method, path, body):
        answer = client.generic(method, f"{URL}{path}", json.dumps(body), "application/json")
        assert answer.status_code == 400
        return [(each["field"], each["pointer"]) for each in answer.json()["errors"]]

    ids = [("ids[1]", "#/ids/1"), ("ids[2]", "#/ids/2")]
    assert fields("POST", "/replay", {"ids": ["a", 1, None]}) == ids
    group = {"owner": "x" * 151, "link": "javascript:1", "status": "fixed"}
    told = [("owner", "#/owner"), ("link", "#/link"), ("fixedIn", "#/fixedIn")]
    assert fields("PATCH", f"/groups/{failed().fingerprint}", group) == told
    policy = {"service": "biling", "reason": "bad luck"}
    told = [("service", "#/service"), ("reason", "#/reason")]
    assert fields("POST", "/policies", policy | {"after": ["1s"]}) == [*told, ("after", "#/after")]
    unreadable = ("after[1]", "#/after/1")
    assert fields("POST", "/policies", policy | {"after": ["1h", "soon"]}) == [*told, unreadable]
    # A wrong type beside it hides it no more than a right value does.
    no_text = ("after[0]", "#/after/0")
    both = [no_text, *told, unreadable]
    assert sorted(fields("POST", "/policies", policy | {"after": [1, "soon"]})) == sorted(both)


def test_policies():
    client = staff()
    policy = post(client, "/policies", {"service": "billing", "after": ["15m", "1h"]})
    assert (policy["scope"], policy["afterSeconds"]) == ("service billing", [900, 3600])
    [error] = post(client, "/policies", {"service": "billing", "after": "15m"}, 400)["errors"]
    assert error["field"] == "after"
    assert not client.delete(f"{URL}/policies/service billing").json()["enabled"]
    assert client.delete(f"{URL}/policies/service billing").status_code == 404


def test_policies_have_pages():
    client = staff()
    services = ("billing", "inventory", "orders")
    for service in services:
        post(client, "/policies", {"service": service, "after": ["15m"]})

    first = get(client, "/policies?limit=2")
    second = get(client, first["next"].removeprefix("/failed-messages"))

    listed = [item["service"] for page in (first, second) for item in page["items"]]
    assert listed == list(reversed(services))
    assert second["next"] is None
    for query in ("colour=red", "limit=2&limit=3", "limit=0", "cursor=x"):
        get(client, f"/policies?{query}", 400)


def test_who_may():
    stored = failed()
    path = f"/{stored.pk}/replay"
    anonymous = Client(SERVER_NAME="localhost")
    refused = anonymous.get(URL)
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].endswith('Basic realm="ordersite"')

    customer = Client(SERVER_NAME="localhost")
    customer.force_login(User.objects.create_user("customer"))
    assert customer.get(URL).status_code == 403
    viewer = staff("view_failedmessage")
    assert viewer.get(URL).status_code == 200
    for verb in ("replay", "edit", "discard", "restore"):
        told = post(viewer, f"/{stored.pk}/{verb}", {"reason": "x", "body": "{}"}, 403)
        assert "You lack the permission failed_messages." in told["detail"]
    post(viewer, "/replay", {"group": stored.fingerprint}, 403)
    post(viewer, "/policies", {"service": "billing", "after": ["1h"]}, 403)

    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.cookies = staff().cookies
    post(strict, path, {}, 403)
    assert record(stored.pk).status == "failed"

    User.objects.create_superuser("script", password="a long one")
    login = base64.b64encode(b"script:a long one").decode()
    basic = Client(SERVER_NAME="localhost", headers={"authorization": f"Basic {login}"})
    assert post(basic, path)["done"]


@pytest.mark.parametrize("text", XSS)
def test_an_outsiders_text_is_json(text):
    death = certificate(message=text, exception=text, traceback=text)
    stored = failed(death=death, body=text.encode(), message_id=text, type=text)
    client = staff()
    for path in ("", f"/{stored.pk}", "/groups", f"?q={ORDER_ID}"):
        response = client.get(URL + path)
        assert response["Content-Type"].startswith("application/json")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert json.dumps(text, ensure_ascii=False)[1:-1] in response.content.decode()
