"""`python manage.py conservation`"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from ordersite.pipeline.conservation import NAMED_ORDERS, Line, as_json, lines
from runtime.connecting import BROKER_ERRORS
from runtime.trouble import of_mongodb, of_rabbitmq

#: Between the two checks; an order that is just moving from one place to the next is not missing.
CHECK_AGAIN_SECONDS = 2.0


class Command(BaseCommand):
    help = "Show where every accepted order is. Exits with 1 if an order stays unaccounted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        try:
            found = lines()
            if any(line.unaccounted for line in found):
                time.sleep(CHECK_AGAIN_SECONDS)
                found = lines()
        except BROKER_ERRORS as error:
            raise CommandError(of_rabbitmq(error)) from error
        except (PyMongoError, DatabaseError) as error:
            raise CommandError(of_mongodb(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps([as_json(line) for line in found], indent=2))
        else:
            self.stdout.write("\n".join(in_words(line) for line in found))
        if any(line.unaccounted for line in found):
            sys.exit(1)


def in_words(line: Line) -> str:
    sum_ = (
        f"{line.service}: {line.accepted} accepted = {line.done} done + {line.in_flight} in flight"
        f" + {line.retrying} retrying + {line.failed} failed + {line.discarded} discarded"
        f" + {line.unaccounted} unaccounted"
    )
    if not line.unaccounted:
        return sum_
    named = "\n".join(f"  {order_id}" for order_id in line.orders[:NAMED_ORDERS])
    return f"{sum_}\n  The scheduler sends again what these orders miss:\n{named}"
