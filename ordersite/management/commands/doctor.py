"""`python manage.py doctor`"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ordersite.doctor.examination import examine
from ordersite.doctor.rendering import as_json, as_text


class Command(BaseCommand):
    help = (
        "Compare MongoDB and RabbitMQ with what is declared, and name the command that fixes each "
        "difference. Changes nothing. Exits with 0 if healthy, 1 with findings, 2 if "
        "something could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        report = examine()
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report), indent=2))
        else:
            self.stdout.write(as_text(report, self.style))
        if report.exit_code:
            sys.exit(report.exit_code)
