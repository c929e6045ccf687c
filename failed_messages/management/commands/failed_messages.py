"""`python manage.py failed_messages VERB`: the operator's verbs for a terminal and for scripts."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from failed_messages.acting.editing import InvalidEdit
from failed_messages.acting.second_person import Waits
from failed_messages.cli.arguments import check_texts
from failed_messages.cli.groups import add_groups
from failed_messages.cli.messages import add_discard, add_edit, add_list, add_restore, add_show
from failed_messages.cli.pending import add_pending
from failed_messages.cli.policies import add_policy
from failed_messages.cli.replay import add_jobs, add_replay
from failed_messages.cli.retries import add_retry_now, add_stop_retrying
from failed_messages.cli.terminal import Refusal, Terminal
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.records.invalid_request import Invalid
from runtime.decision_log import decided
from runtime.outage import Outage
from runtime.trouble import of_mongodb

VERBS = (
    add_list,
    add_groups,
    add_show,
    add_replay,
    add_jobs,
    add_edit,
    add_discard,
    add_restore,
    add_retry_now,
    add_stop_retrying,
    add_policy,
    add_pending,
)

#: Whoever runs it may do everything.
TERMINAL = "on the command line"

INVALID = (InvalidEdit, Invalid, ReasonMissing, Refusal)


class Command(BaseCommand):
    help = "List failed messages and their groups; replay, edit, discard or restore them."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for add in VERBS:
            add(verbs)

    def handle(self, *args: Any, **options: Any) -> None:
        terminal = Terminal(self.stdout, self.stderr, self.style, options["json"])
        try:
            check_texts(options)
            if by := options.get("by"):
                decided(f"failed_messages {options['verb']}", by=by, allowed=True, reason=TERMINAL)
            options["run"](options, terminal)
        except (PyMongoError, DatabaseError, Outage) as error:
            raise CommandError(
                f"{of_mongodb(error)} Then run this again: each act is done once."
            ) from error
        except BrokenPipeError:
            # A reader like `head` has enough; Python would still flush, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except Waits as waits:
            # It is what was asked for, and no failure.
            terminal.waits(waits)
        except INVALID as error:
            raise CommandError(str(error)) from error
        if terminal.refused:
            sys.exit(1)
