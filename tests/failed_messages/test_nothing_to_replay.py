"""A bulk replay that would replay nothing is refused, with what is nearest, on every way in."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError

from failed_messages.acting import job_control
from failed_messages.acting.discard import discard
from failed_messages.models import ReplayJob
from failed_messages.reading.filters import Filter
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff
from tests.failed_messages.test_commands import run

pytestmark = pytest.mark.usefixtures("clean")

NOTHING = "must match a message that is failed now"


def ask(body: dict[str, object]) -> tuple[int, dict[str, object]]:
    response = staff().post(
        "/failed-messages/replay", json.dumps(body), content_type="application/json"
    )
    return response.status_code, response.json()


@pytest.fixture
def mistyped() -> tuple[str, str]:
    """A group's fingerprint with another last character, and the group's."""
    group = failed().fingerprint
    failed(death=certificate(message="something else"), message_id="other")
    return group[:-1] + "~", group


@pytest.mark.parametrize("dry_run", [False, True])
def test_over_http_an_unknown_group_is_404_with_the_nearest(
    mistyped: tuple[str, str], dry_run: bool
) -> None:
    wrong, group = mistyped

    status, problem = ask({"group": wrong, "dryRun": dry_run})

    assert status == 404
    assert problem["errors"][0]["field"] == "group"
    assert group in problem["errors"][0]["fix"]
    assert not ReplayJob.objects.exists()


def test_the_beginning_of_a_fingerprint_names_the_group(mistyped: tuple[str, str]) -> None:
    _, group = mistyped

    assert f"Nearest: {group}." in ask({"group": group[:6]})[1]["errors"][0]["fix"]


def test_on_the_command_line(mistyped: tuple[str, str]) -> None:
    wrong, group = mistyped

    for arguments in (["--group", wrong], ["--group", wrong, "--dry-run"]):
        with pytest.raises(CommandError, match=f"no such group. Nearest: {group}"):
            run("replay", *arguments)
    with pytest.raises(CommandError, match=NOTHING):
        run("replay", "--filter", "service=inventory")
    assert not ReplayJob.objects.exists()


def test_in_the_admin(mistyped: tuple[str, str]) -> None:
    wrong, _ = mistyped
    new = "/admin/failed_messages/replayjob/new/"
    client = staff()

    assert client.get(f"{new}?group={wrong}").status_code == 404
    assert client.post(new, {"selection": f"group={wrong}", "rate": "1"}).status_code == 404
    refused = client.post(new, {"selection": "service=inventory", "rate": "1"})
    assert NOTHING in refused.content.decode()
    assert not ReplayJob.objects.exists()


def test_a_group_of_which_nothing_is_failed_any_more() -> None:
    stored = failed()
    discard([stored.pk], "me", "an order of a test")

    with pytest.raises(job_control.InvalidJob, match=NOTHING):
        job_control.start(Filter(group=stored.fingerprint), "me")


def test_over_http_a_filter_that_matches_nothing_is_refused() -> None:
    status, problem = ask({"filter": "service=inventory"})

    assert status == 400
    assert NOTHING in problem["errors"][0]["detail"]
