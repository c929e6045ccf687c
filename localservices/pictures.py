"""`make pictures`: the documentation's pictures, taken anew in Chromium from a running `make run`.

It places an order that is done and one that fails, removes the demo fault, replays, and plants the
fault again.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from localservices import environment_file
from localservices.pipeline import ROOT

FOLDER = ROOT / "docs/pictures"
CHROMIUM = "/usr/bin/chromium"
#: A screen of this size shows a page as the pictures have it.
WIDTH_PIXELS, HEIGHT_PIXELS = 1100, 760
#: A picture is at most so large, so that the README is read at once.
MOST_BYTES = 150_000
QUALITIES = (85, 70, 55, 40)
#: The longest way is that of a message that fails: its retries.
PATIENCE_MILLISECONDS = 60_000
#: Between the steps of one picture.
GAP_PIXELS = 24


def main() -> None:
    port = environment_file.read().get("WEB_PORT", "8000")
    site = f"http://localhost:{port}"
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": WIDTH_PIXELS, "height": HEIGHT_PIXELS}, color_scheme="light"
        )
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        try:
            FOLDER.mkdir(exist_ok=True)
            take(page, site)
        finally:
            browser.close()


def take(page: Page, site: str) -> None:
    """Walk as a newcomer does, and keep what is seen."""
    shop = page.locator("main > section").first
    place(page, site, buyer="101")
    expect(page.locator("#order-title")).to_contain_text("confirmed")
    keep("shop", shot(shop))

    place(page, site, buyer="500")
    expect(page.locator("#desk")).to_be_visible()
    order_id = (page.locator("#order-title").text_content() or "").split()[1]
    failed = shot(page.locator("#order"))

    log_in(page, site)
    page.goto(f"{site}/admin/failed_messages/failedmessage/")
    keep("desk", page.screenshot())
    page.goto(f"{site}/admin/failed_messages/failedmessage/?q={order_id}")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_load_state()
    message, told = page.url, page.screenshot()

    fault("none")
    try:
        replay(page, message)
        page.goto(f"{site}/admin/orders/order/{order_id}/change/")
        expect(page.locator("#content-main")).to_contain_text("confirmed")
        order = page.screenshot()
        keep("order", order)
        keep("failure-and-replay", one_below_the_other([failed, told, order]))
    finally:
        fault("error")


def place(page: Page, site: str, buyer: str) -> None:
    page.goto(site)
    page.select_option("#buyer", buyer)
    page.get_by_role("button", name="Place the order").click()


def log_in(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin")
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()


def replay(page: Page, message: str) -> None:
    page.locator("#replay").click()
    with page.expect_navigation():
        page.locator("#confirm").click()
    status = page.locator(".fm-status").first
    for _ in range(PATIENCE_MILLISECONDS // 1_000):
        page.goto(message)
        if status.text_content() == "Resolved":
            return
        page.wait_for_timeout(1_000)
    raise SystemExit(f"The replay is not resolved after a minute: {message}")


def fault(kind: str) -> None:
    """Plant or remove the demo fault."""
    command = [sys.executable, "manage.py", "simulate_fault", "billing", "--user", "500"]
    subprocess.run([*command, "--kind", kind], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def shot(part: Locator) -> bytes:
    return part.screenshot()


def one_below_the_other(shots: list[bytes]) -> bytes:
    """The pictures as one, each as wide as the others."""
    images = [Image.open(io.BytesIO(each)) for each in shots]
    width = min(image.width for image in images)
    scaled = [image.resize((width, round(image.height * width / image.width))) for image in images]
    height = sum(image.height + GAP_PIXELS for image in scaled) - GAP_PIXELS
    whole, top = Image.new("RGB", (width, height), "white"), 0
    for image in scaled:
        whole.paste(image, (0, top))
        top += image.height + GAP_PIXELS
    return encoded(whole, "PNG", {})


def keep(name: str, shot: bytes) -> None:
    """Write the picture as WebP, as well as it can be under `MOST_BYTES`."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    for quality in QUALITIES:
        written = encoded(image, "WEBP", {"quality": quality, "method": 6})
        if len(written) <= MOST_BYTES:
            break
    path = FOLDER / f"{name}.webp"
    path.write_bytes(written)
    print(f"{path.relative_to(ROOT)}: {len(written) / 1_000:.0f} kB")


def encoded(image: Image.Image, format_: str, options: Mapping[str, int]) -> bytes:
    written = io.BytesIO()
    image.save(written, format_, **options)
    return written.getvalue()


if __name__ == "__main__":
    main()
