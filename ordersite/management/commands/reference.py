"""`python manage.py reference FOLDER`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ordersite.reference import commands_page, events_page, routes_page, settings_page

PAGES = {
    "settings.md": settings_page.page,
    "commands.md": commands_page.page,
    "http-api.md": routes_page.page,
    "events.md": events_page.page,
}


class Command(BaseCommand):
    help = "Write the pages of the documentation that are made from the code; make docs does so."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where to write them")

    def handle(self, *, folder: Path, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, page in PAGES.items():
            (folder / name).write_text(page())
            self.stdout.write(str(folder / name))
