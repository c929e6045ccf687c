"""Groups: one row for each cause, counted once whatever happens."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from types import SimpleNamespace

import pytest

from failed_messages.acting.death_recount import recount
from failed_messages.acting.triage import InvalidTriage, triage
from failed_messages.models import AppendOnly, AuditEntry, FailureGroup
from failed_messages.reading.group_figures import figures
from failed_messages.records import order_facts
from failed_messages.records.collection import failed_messages, failure_counts, failure_groups
from tests.concurrency import at_once
from tests.failed_messages.letters import archive_next, bury, certificate, failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place

pytestmark = pytest.mark.usefixtures("clean")

GROUPS = "/admin/failed_messages/failuregroup/"
LIST = "/admin/failed_messages/failedmessage/"


def test_many_failures_of_three_causes_are_three_rows():
    for number in range(60):
        error = ("card timed out", "no invoice number", f"order {number} is odd")[number % 3]
        failed(
            death=certificate(message=error), message_id=f"m{number}", correlation_id=f"o{number}"
        )
    content = staff().get(GROUPS).content.decode()

    assert FailureGroup.objects.count() == 3
    assert content.count('class="field-cause"') == 3
    assert {group.deaths for group in FailureGroup.objects.all()} == {20}
    assert "20 this hour, 20 in 24 h" in content
    assert "20 orders" in content


def test_the_same_death_counts_once_and_the_next_one_again():
    death = certificate()
    for _ in range(3):
        failed(death=death)
    [group] = FailureGroup.objects.all()
    assert group.deaths == 1

    failed(death=certificate())
    group.refresh_from_db()
    assert group.deaths == 2
    assert sum(count["deaths"] for count in failure_counts().find()) == 2


def test_archivers_at_once_count_every_death():
    for number in range(12):
        bury(certificate(), message_id=f"m{number}")
    at_once([partial(_archive_some, 3) for _ in range(4)])

    [group] = FailureGroup.objects.all()
    assert group.deaths == 12


def _archive_some(count: int) -> None:
    for _ in range(count):
        archive_next()


def test_the_orders_and_their_value_are_known_where_orders_knows_them():
    facts = SimpleNamespace(status="placed", version=1, total=Decimal("12.50"), currency="EUR")
    source = order_facts._sources[0]
    order_facts.register(lambda ids: {id_: facts for id_ in ids if id_ != "foreign"})
    try:
        for order_id in ("a", "b", "foreign"):
            failed(message_id=order_id, correlation_id=order_id)
        [known] = figures([FailureGroup.objects.get().pk]).values()
    finally:
        order_facts.register(source)

    assert (known.messages, known.orders, known.value) == (3, 3, "25.00 EUR")


def test_a_death_in_the_release_that_fixes_it_or_a_later_one_is_a_regression():
    group = failed().fingerprint
    assert triage(group, {"status": "fixed", "fixed_in": "0.2.0", "owner": "me"}, "operator")

    failed(death=certificate(release="0.1.9"), message_id="b")
    assert FailureGroup.objects.get().status == "fixed"
    failed(death=certificate(release="0.10.0"), message_id="c")
    regressed = FailureGroup.objects.get()
    assert (regressed.status, regressed.fixed_in, regressed.owner) == ("regressed", "0.2.0", "me")
    assert regressed.regressed_at is not None
    assert [entry.act for entry in AuditEntry.objects.all()] == ["regressed", "triage"]
    assert "Regressed, was fixed in 0.2.0" in staff().get(GROUPS).content.decode()


def test_releases_without_an_order_regress_at_the_same_name_alone():
    group = failed().fingerprint
    triage(group, {"status": "fixed", "fixed_in": "4f2a91c"}, "operator")
    failed(death=certificate(release="d00dfee"), message_id="b")
    assert FailureGroup.objects.get().status == "fixed"
    failed(death=certificate(release="4f2a91c"), message_id="c")
    assert FailureGroup.objects.get().status == "regressed"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"link": "javascript:alert(1)"}, "link"),
        ({"status": "regressed"}, "status"),
        ({"status": "fixed"}, "fixed_in"),
        ({"deaths": "0"}, "deaths"),
        ({"owner": "x" * 151}, "owner"),
        ({"note": {"$gt": ""}}, "note"),
        ({}, "owner"),
    ],
)
def test_triage_says_which_field_is_wrong(changes, field):
    with pytest.raises(InvalidTriage) as error:
        triage(failed().fingerprint, changes, "operator")
    assert error.value.field == field
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("field", ["link", "owner", "status"])
def test_a_group_that_lacks_a_field_is_triaged(field):
    group = failed().fingerprint
    failure_groups().update_one({"_id": group}, {"$unset": {field: ""}})

    assert triage(group, {"link": "https://issues.example.com/7", "owner": "me"}, "operator")

    [stored] = failure_groups().find()
    assert (stored["link"], stored["owner"]) == ("https://issues.example.com/7", "me")


def test_triage_in_the_admin_is_audited_and_spares_a_colleagues_change():
    group = failed().fingerprint
    page = f"{GROUPS}{group}/change/"
    client = staff()
    assert client.get(page).status_code == 200
    triage(group, {"owner": "colleague"}, "colleague")
    form = {"was_owner": "", "owner": "", "was_note": "", "note": "card service is slow"}
    client.post(page, form)

    stored = FailureGroup.objects.get()
    assert (stored.owner, stored.note) == ("colleague", "card service is slow")
    entry = AuditEntry.objects.first()
    assert (entry.by, entry.act, entry.subject_id) == ("operator", "triage", group)
    assert (entry.before, entry.after) == ('{"note": ""}', '{"note": "card service is slow"}')


def test_the_list_shows_what_is_known_of_a_group():
    stored = failed()
    known = {"owner": "billing team", "note": "the card service", "link": "https://example.com/7"}
    triage(stored.fingerprint, known, "operator")
    content = staff().get("/admin/failed_messages/failuregroup/").content.decode()
    for shown in ("billing team", "the card service", 'href="https://example.com/7"'):
        assert shown in content


@pytest.mark.parametrize("page", ["", "{}/change/"])
def test_each_number_of_a_group_leads_to_its_messages(page):
    stored = failed(correlation_id=str(place()["_id"]))
    failing = f"{LIST}?group={stored.fingerprint}&amp;status=failed"
    every = f"{LIST}?group={stored.fingerprint}&amp;status=all"

    content = staff().get(GROUPS + page.format(stored.fingerprint)).content.decode()

    assert f'<a href="{failing}">1 order<br>12.50 EUR</a>' in content
    assert re.search(rf'<a href="{re.escape(every)}">1( death)?</a>', content)
    for address in (failing, every):
        assert str(stored.pk) in staff().get(html.unescape(address)).content.decode()


def test_triage_needs_its_permission():
    group = failed().fingerprint
    page = f"{GROUPS}{group}/change/"
    viewer = staff("view_failedmessage")

    assert "change_failuregroup" in viewer.get(page).content.decode()
    assert viewer.post(page, {"was_note": "", "note": "x"}).status_code == 403
    assert staff().get(f"{GROUPS}nonsense/change/").status_code == 404
    assert staff("replay_failedmessage").get(page).status_code == 403


def test_the_list_of_messages_shows_one_group():
    one = failed()
    other = failed(death=certificate(message="something else"), message_id="other")
    content = staff().get(f"{LIST}?group={one.fingerprint}").content.decode()

    assert str(one.pk) in content
    assert str(other.pk) not in content


def test_a_recount_finds_what_the_certificates_tell():
    failed()
    failed(death=certificate(at=datetime(2026, 3, 1, 10, 30, tzinfo=UTC).isoformat()))
    failed(death=certificate(message="something else"), message_id="b")
    before = list(failure_counts().find(sort=[("_id", 1)]))
    failure_groups().update_many({}, {"$set": {"deaths": 77}})
    failure_counts().delete_many({})

    assert recount() == []
    assert sorted(group.deaths for group in FailureGroup.objects.all()) == [1, 2]
    assert list(failure_counts().find(sort=[("_id", 1)])) == before


@pytest.mark.parametrize(
    "spoilt", [{"$unset": {"certificates": ""}}, {"$set": {"certificates": ["{"]}}], ids=str
)
def test_a_recount_goes_on_where_a_record_cannot_be_read(spoilt, caplog):
    broken = failed()
    sound = failed(death=certificate(message="something else"), message_id="b")
    failed_messages().update_one({"_id": broken.pk}, spoilt)
    failure_groups().update_many({}, {"$set": {"deaths": 77}})

    assert recount() == []

    assert FailureGroup.objects.get(pk=sound.fingerprint).deaths == 1
    assert f"Failed message {broken.pk} is not counted" in caplog.text


def test_a_recount_counts_a_group_that_had_no_count():
    one = failed().fingerprint
    failure_groups().update_one({"_id": one}, {"$unset": {"deaths": ""}})

    assert recount() == []

    assert FailureGroup.objects.get(pk=one).deaths == 1


def test_nothing_changes_or_deletes_an_audit_entry():
    triage(failed().fingerprint, {"owner": "me"}, "operator")
    entry = AuditEntry.objects.get()
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        partial(AuditEntry.objects.update, by="somebody else"),
        partial(AuditEntry.objects.bulk_update, [entry], ["by"]),
    ):
        with pytest.raises(AppendOnly):
            attempt()
    page = f"/admin/failed_messages/auditentry/{entry.pk}"
    client = staff()
    assert client.get(f"{page}/delete/").status_code == 403
    client.post(f"{page}/change/", {"by": "somebody else"})
    assert client.get("/admin/failed_messages/auditentry/add/").status_code == 403
    assert AuditEntry.objects.get(act="triage").by == "operator"
    assert "triage" in client.get("/admin/failed_messages/auditentry/").content.decode()
    failed_messages().delete_many({})
    assert AuditEntry.objects.exclude(act="denied").count() == 1
