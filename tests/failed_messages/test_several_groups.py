"""Several groups at once: which come first, and what is done to all of those selected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from failed_messages.acting.discard import discard
from failed_messages.models import AuditEntry, FailedMessage, FailureGroup, Status
from failed_messages.reading import group_figures
from failed_messages.records import order_facts
from failed_messages.records.collection import failed_messages
from ordersite.overview import failures
from runtime.mongodb_clock import mongodb_now
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff

pytestmark = pytest.mark.usefixtures("clean")

GROUPS = "/admin/failed_messages/failuregroup/"
LIST = "/admin/failed_messages/failedmessage/"

#: What each order is worth.
TOTALS = {"cheap-1": 5, "cheap-2": 5, "cheap-3": 5, "dear": 900, "middling-1": 50, "middling-2": 50}


@pytest.fixture
def groups() -> Iterator[dict[str, str]]:
    """The fingerprint of each of three groups; `middling` failed last."""
    made = {
        error: failed(death=certificate(message=error), message_id=order, correlation_id=order)
        for order in TOTALS
        for error in [order.partition("-")[0]]
    }
    source = order_facts._sources[0]
    order_facts.register(
        lambda ids: {
            id_: SimpleNamespace(status="placed", total=Decimal(TOTALS[id_]), currency="EUR")
            for id_ in ids
        }
    )
    yield {error: each.fingerprint for error, each in made.items()}
    order_facts.register(source)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["middling", "dear", "cheap"]),
        ("?sort=messages", ["cheap", "middling", "dear"]),
        ("?sort=orders", ["cheap", "middling", "dear"]),
        ("?sort=money", ["dear", "middling", "cheap"]),
        ("?sort=money&service=inventory", []),
        ("?sort=nonsense", []),
    ],
)
def test_those_that_cost_most_come_first(groups, query: str, expected: list[str]):
    content = staff().get(f"{GROUPS}{query}").content.decode()

    places = {
        error: content.find(f"{fingerprint}/change/") for error, fingerprint in groups.items()
    }
    shown = sorted((place, error) for error, place in places.items() if place > 0)
    assert [error for _, error in shown] == expected


def test_a_new_one_of_which_none_is_failed_any_more_is_none_of_the_new(groups):
    dear = FailedMessage.objects.get(fingerprint=groups["dear"])
    discard([dear.pk], "operator", "test")
    new = {groups["cheap"], groups["middling"]}

    page = staff().get(f"{GROUPS}?status__exact=new").content.decode()
    items = staff().get("/failed-messages/groups?status=new").json()["items"]
    out = StringIO()
    call_command("failed_messages", "groups", "--status", "new", "--json", stdout=out)
    overview = failures.unsettled(mongodb_now())

    assert {each for each in groups.values() if f"{each}/change/" in page} == new
    assert {each["fingerprint"] for each in items} == new
    assert {each["fingerprint"] for each in json.loads(out.getvalue())} == new
    assert overview.new_groups == 2


def test_a_dear_one_of_few_messages_comes_first_however_many_others_there_are(groups, monkeypatch):
    monkeypatch.setattr(group_figures, "MOST_COMPARED", 1)

    for by, first in (("money", "dear"), ("messages", "cheap")):
        page = staff().get(f"{GROUPS}?sort={by}").content.decode()
        shown = {error for error, each in groups.items() if f"{each}/change/" in page}
        assert shown == {first}


def test_where_few_orders_are_read_these_stand_for_all(groups, monkeypatch):
    monkeypatch.setattr(group_figures, "MOST_MESSAGES", len(groups))

    known = group_figures.figures(list(groups.values()))

    cheap = known[groups["cheap"]]
    assert (cheap.orders, cheap.at_least) == (1, True)
    assert (cheap.orders_in_all, cheap.amount) == (3, 15)
    assert not known[groups["dear"]].at_least


def act(action: str, *groups: str, **fields: str):
    form = {"action": action, "_selected_action": groups, **fields}
    return staff().post(GROUPS, form, follow=True)


def test_several_are_assigned_and_marked_in_one_go(groups):
    chosen = groups["cheap"], groups["dear"]
    act("assign_to_me", *chosen)
    act("fixed", *chosen, release="1.4.0")
    act("investigate", groups["middling"])

    known = {each.pk: (each.owner, each.status) for each in FailureGroup.objects.all()}
    assert [known[each] for each in chosen] == [("operator", "fixed")] * 2
    assert known[groups["middling"]] == ("", "under_investigation")
    assert FailureGroup.objects.get(pk=chosen[0]).fixed_in == "1.4.0"
    assert AuditEntry.objects.filter(act="triage").count() == 5


def test_fixed_needs_its_release(groups):
    answer = act("fixed", groups["cheap"])

    assert "Nothing is changed" in answer.content.decode()
    assert FailureGroup.objects.get(pk=groups["cheap"]).status == "new"


def test_what_is_failed_of_several_is_discarded_after_a_question(groups):
    chosen = groups["cheap"], groups["dear"]
    question = act("discard_messages", *chosen)
    content = question.content.decode()
    assert "4 messages: 4 of billing" in content
    assert not FailedMessage.objects.filter(status="discarded").exists()

    of_both = FailedMessage.objects.filter(fingerprint__in=chosen)
    ids = [str(each.pk) for each in of_both]
    assert all(id_ in content for id_ in ids)
    staff().post(f"{LIST}act/discard/", {"id": ids, "reason": "test orders"})
    assert {each.status for each in of_both.all()} == {"discarded"}
    assert FailedMessage.objects.filter(status="failed").count() == 2


def test_more_than_one_bulk_discard_takes_are_refused_in_words_on_their_list(groups, monkeypatch):
    monkeypatch.setattr("failed_messages.admin.groups.MOST_SELECTIONS", 2)

    told = act("discard_messages", *groups.values())

    assert told.redirect_chain[-1][0].startswith(GROUPS)
    said = "These are 3 groups, and one bulk discard takes up to 2 groups. Select fewer."
    assert said in told.content.decode()


def test_who_may_only_look_is_offered_none_of_it(groups):
    viewer = staff("view_failedmessage")

    assert "assign_to_me" not in viewer.get(GROUPS).content.decode()
    form = {"action": "assign_to_me", "_selected_action": [groups["cheap"]]}
    viewer.post(GROUPS, form)
    assert not FailureGroup.objects.exclude(owner="").exists()
    discard = f"{LIST}act/discard/?group={groups['cheap']}"
    assert viewer.get(discard).status_code == 403


def test_the_list_of_messages_opens_on_what_is_failed(groups):
    client = staff()
    [dear] = FailedMessage.objects.filter(fingerprint=groups["dear"])
    client.post(f"{LIST}act/discard/", {"id": [str(dear.pk)], "reason": "a test"})

    opened = client.get(LIST, follow=True)
    assert opened.redirect_chain == [("?status=failed", 302)]
    assert str(dear.pk) not in opened.content.decode()
    assert "?status=all" in opened.content.decode()
    everything = client.get(f"{LIST}?status=all").content.decode()
    assert str(dear.pk) in everything
    assert "Nothing is listed" not in everything


def test_messages_of_few_groups_and_of_very_many_are_counted_alike(groups, monkeypatch):
    dear = FailedMessage.objects.get(fingerprint=groups["dear"])
    failed_messages().update_one({"_id": dear.pk}, {"$set": {"status": "replaying"}})
    counted = {groups["cheap"]: 3, groups["middling"]: 2}
    unsettled = {**counted, groups["dear"]: 1}

    for many in (0, 1_000):
        monkeypatch.setattr(group_figures, "MANY_GROUPS", many)
        assert list(group_figures.messages_by_group().items()) == list(counted.items())
        found = group_figures.messages_by_group(str(Status.FAILED), str(Status.REPLAYING))
        assert list(found.items()) == list(unsettled.items())
