"""The map of the system fits on a screen, and the README shows it as it is."""

from __future__ import annotations

from io import StringIO

from django.conf import settings
from django.core.management import call_command

SCREEN_LINES = 40


def shown(*arguments: str) -> str:
    out = StringIO()
    call_command("topology", "show", *arguments, stdout=out)
    return out.getvalue()


def test_it_fits_on_a_screen() -> None:
    assert len(shown().splitlines()) < SCREEN_LINES


def test_the_readme_has_it() -> None:
    readme = (settings.BASE_DIR / "README.md").read_text()

    assert f"```mermaid\n{shown('--mermaid')}```" in readme, (
        "paste: manage.py topology show --mermaid"
    )


def test_it_says_what_each_event_leads_to() -> None:
    lines = shown().splitlines()

    at = lines.index("order_events (fanout): order.placed, order.rejected, order.cancelled")
    assert (
        "  -> queue inventory: order.placed -> reserved or rejected; order.cancelled -> released"
        in lines[at:]
    )
