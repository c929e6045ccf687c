"""`python manage.py openapi`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from ordersite.openapi import document, problem_table

DOCS = settings.BASE_DIR / "docs"


class Command(BaseCommand):
    help = "Write docs/openapi.json and docs/problems.md: the HTTP API, for its clients."

    def handle(self, **options: Any) -> None:
        for path, text in files().items():
            path.write_text(text)
            self.stdout.write(str(path.relative_to(settings.BASE_DIR)))


def files() -> dict[Path, str]:
    """Each document as it has to be."""
    return {
        DOCS / "openapi.json": document.text(),
        DOCS / "problems.md": f"{problem_table.markdown()}\n",
    }
