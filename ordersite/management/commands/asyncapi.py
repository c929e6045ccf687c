"""`python manage.py asyncapi`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from messaging.service import events
from ordersite.pipeline import asyncapi

DOCS = settings.BASE_DIR / "docs"


class Command(BaseCommand):
    help = "Write docs/asyncapi.yaml and docs/schemas/*.json: every event, for its subscribers."

    def handle(self, **options: Any) -> None:
        for path, text in files().items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            self.stdout.write(str(path.relative_to(settings.BASE_DIR)))


def files() -> dict[Path, str]:
    """Each document as it has to be."""
    schemas = {
        DOCS / "schemas" / f"{each.type}.v{each.version}.json": asyncapi.json_schema(each)
        for each in events().values()
    }
    return {
        DOCS / "asyncapi.yaml": asyncapi.text(),
        **{path: json.dumps(schema, indent=2) + "\n" for path, schema in schemas.items()},
    }
