"""An operator at the front page, with a terminal beside it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pymongo
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pymongo.errors import PyMongoError

from messaging.service import services
from ordersite.overview import stored_snapshot
from ordersite.overview.verdict import judge
from ordersite.pipeline import scheduler_heartbeat
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.polling import eventually

#: From the front page until the incident is over.
MOST_CLICKS = 5
#: MongoDB may be what is down.
KEEPING_SECONDS = 2.0


class Operator:
    """Somebody who is logged in, and whose clicks are counted."""

    def __init__(self, pipeline: Pipeline, page: Page) -> None:
        self.page = page
        #: The command that the front page showed for the incident.
        self.command = ""
        #: What the scheduler does before the front page is opened; no scheduler runs here.
        self.jobs: list[Callable[[], object]] = [scheduler_heartbeat.beat, stored_snapshot.take]
        self._pipeline = pipeline
        self._clicks = 0
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(User.objects.create_superuser("operator"))
        session = browser.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": pipeline.api.url}])

    def finds(self, incident: str, *words: str) -> None:
        """The front page names the incident first, with its next step."""
        self._opens_the_front_page(lambda said: incident in said[0])
        several = self.page.locator(".concern-what")
        # The only one is the verdict's own sentence.
        what = several.first if several.count() else self.page.locator(".verdict-sentence")
        expect(what).to_contain_text(incident)
        concern = self.page.locator(".concern").first
        for each in words:
            expect(concern).to_contain_text(each)
        code = concern.locator("code")
        self.command = code.inner_text() if code.count() else ""

    def clicks(self, what: str | Locator) -> None:
        """Follow a link by its text, or press a button, to the page that it leads to."""
        self._clicks += 1
        assert self._clicks <= MOST_CLICKS
        if isinstance(what, str):
            what = self.page.get_by_role("link", name=what, exact=True).first
        with self.page.expect_navigation():
            what.click()

    def reads(self, *words: str) -> None:
        """These are on the page."""
        for each in words:
            expect(self.page.locator("#content")).to_contain_text(each)

    def types_the_command(self) -> None:
        """Run the front page's command of `manage.py` that ends by itself."""
        _, _, *arguments = shlex.split(self.command)
        call_command(*arguments)

    def starts(self, name: str) -> None:
        """Start the process as the front page says, in place of the one that had this name."""
        settings = self._pipeline[name].env or {}
        process = self._pipeline.processes.run(name, self.command, **settings)
        self._pipeline.by_name[name] = process
        self._pipeline.processes.wait_for_workers([process])

    def sees_that_it_is_over(self, incident: str) -> None:
        """The front page names it no more."""
        self._opens_the_front_page(lambda said: not any(incident in each for each in said))
        expect(self.page.locator(".verdict-word")).to_be_visible()
        expect(self.page.locator("#overview")).not_to_contain_text(incident)

    def _opens_the_front_page(self, is_expected: Callable[[list[str]], bool]) -> None:
        """As soon as it says what is expected of it."""

        def is_said() -> bool:
            with suppress(PyMongoError), pymongo.timeout(KEEPING_SECONDS):
                for job in self.jobs:
                    job()
            snapshot = stored_snapshot.current()
            verdict = judge(snapshot, max(snapshot.at, datetime.now(UTC)), tuple(services()))
            return is_expected([each.what for each in verdict.concerns] or [""])

        eventually(is_said)
        self.page.goto(f"{self._pipeline.api.url}/admin/")
