"""Pages of the admin keep to the Content-Security-Policy; a script in a text does not run."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.core.management import call_command
from playwright.sync_api import Browser, Page

from ordersite.staff.roles import make_roles
from tests.failed_messages.letters import failed
from tests.polling import eventually
from tests.processes import Processes
from tests.security.test_api9_inventory import pages

#: Addresses that are not pages.
NOT_SHOWN = re.compile(r"logout|jsi18n|autocomplete|/r/")
REPORTED = "performance.getEntriesByName(location.origin + '/x').length > 0"
INLINE = "document.body.insertAdjacentHTML('beforeend', '<img src=\"/x\" onerror=\"ran = 1\">')"


@pytest.fixture(scope="module")
def site(module_processes: Processes) -> str:
    return module_processes.start_web()


@pytest.fixture
def logged_in(clean: None, site: str, page: Page) -> Page:
    make_roles()
    call_command("load_demo_products", verbosity=0)
    call_command("ensure_admin", verbosity=0)
    failed()
    page.goto(f"{site}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin")
    page.get_by_role("button", name="Log in").click()
    return page


def test_every_page_of_the_admin_keeps_to_it(logged_in: Page, site: str) -> None:
    for route, _ in pages():
        if "<" not in route and "(?P" not in route and not NOT_SHOWN.search(route):
            logged_in.goto(f"{site}{route}")
    for model in admin.site._registry:
        list_ = f"{site}/admin/{model._meta.app_label}/{model._meta.model_name}/"
        logged_in.goto(list_)
        newest = logged_in.locator("#result_list tbody a").first
        if newest.count():
            logged_in.goto(f"{site}{newest.get_attribute('href')}")
    # The fixture asserts that nothing was refused.


def test_a_script_in_a_text_does_not_run(chromium: Browser, site: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{site}/admin/login/")

    page.evaluate(INLINE)
    eventually(lambda: page.evaluate(REPORTED))

    assert page.evaluate("typeof ran") == "undefined"
    eventually(
        lambda: page.evaluate("1") and any("Content Security Policy" in text for text in said),
    )
    context.close()
