"""The reader of the API in a browser, on a desk and on a phone, in the light and in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Processes


@pytest.fixture(scope="module")
def site(module_processes: Processes) -> str:
    return module_processes.start_web()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["laptop", "phone"]
)
def test_the_page_shows_every_route_and_fits_its_window(
    site: str, page: Page, width: int, scheme: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)

    page.goto(f"{site}/docs#/orders/placeOrder")

    expect(page.get_by_text("Place an order", exact=True)).to_be_visible()
    expect(page.get_by_text("Example Value").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("html.dark-mode").count() == (scheme == "dark")
    others = [url for url in asked if not url.startswith((site, "data:"))]
    assert others == []
