"""`POST /orders/import`: many orders in one request, each taken or refused on its own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import IO, Any

import msgspec
from django.http import FileResponse
from pymongo.errors import PyMongoError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from orders import operations
from orders.importing import comma_separated, ndjson
from orders.importing.batches import Import
from orders.importing.entry import Entry
from orders.importing.lines import Stream
from orders.importing.report import Sums, outcome_json
from orders.importing.request_body import lines_of
from orders.requests import import_parameters
from orders.requests.import_parameters import TITLE
from runtime.requests import query_string
from runtime.requests.caller import Caller, caller_of, foreign_user
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.truncated import Truncated

logger = logging.getLogger(__name__)

MAX_ORDERS = 100_000
#: With one request a customer would otherwise have the stock of a shop.
MAX_ORDERS_OF_A_CUSTOMER = 1_000
#: More are not what the file's sender meant, and each is answered by much more than its line.
MAX_REFUSED = 1_000

EMPTY = Fault(
    field="body",
    detail="must not be empty",
    fix="Send a line for each order; docs/importing.md shows the formats.",
)
TOO_MANY = "{:,} orders are the limit for one request; send the rest in another one."
TOO_MANY_REFUSED = (
    "So many orders were refused that the rest was not read. Fix them, and send the lines from "
    "this one on as well."
)
CUT_OFF = (
    "The body ended before its Content-Length. Send the lines from this one on again; those before "
    "are settled."
)
NO_DATABASE = (
    "The database did not answer. Orders from this line on may be placed in part: send those "
    "lines again, each with an orderRef that keeps it from being placed twice."
)


class FileParser(BaseParser):
    """Takes a file line by line."""

    #: Raises Refusal, at the first entry: the file's head is at fault.
    entries: Callable[[Stream], Iterator[Entry]]

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Iterator[Entry]:
        assert parser_context
        return type(self).entries(lines_of(stream, parser_context["request"], TITLE))


class NdjsonParser(FileParser):
    media_type = "application/x-ndjson"
    entries = staticmethod(ndjson.entries)


class CsvParser(FileParser):
    media_type = "text/csv"
    entries = staticmethod(comma_separated.entries)


class ImportView(APIView):
    """Takes a stream of orders; answers with a line for each, and the sums on the last.

    The answer is collected in a file and sent when the request has been read: a client that
    reads nothing before it has sent everything would otherwise wait for us while we wait for it.
    """

    parser_classes = [NdjsonParser, CsvParser]
    scopes = {"POST": "orders:import"}
    #: Each line has one, its `orderRef`.
    has_keys_of_its_own = True
    operations = {"POST": operations.IMPORT}

    def post(self, request: Request) -> FileResponse:
        parameters = import_parameters.read(query_string.parameters(request, TITLE))
        answer = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        caller = caller_of(request)
        most = MAX_ORDERS if caller.user_id is None else MAX_ORDERS_OF_A_CUSTOMER
        importing = Import(is_dry_run=parameters.dry_run)
        status = write_answer(own(entries(request), caller), answer, most, importing)
        answer.seek(0)
        return FileResponse(answer, status=status, content_type="application/x-ndjson")


def entries(request: Request) -> Iterator[Entry]:
    """The request's orders, read as they are asked for.

    Raises:
        Refusal: there is no body.
        UnsupportedMediaType: it is not declared to be NDJSON or CSV.
    """
    # DRF calls no parser where there is no body.
    if request.data:
        return iter(request.data)
    raise Refusal(TITLE, [EMPTY])


def own(entries: Iterable[Entry], caller: Caller) -> Iterator[Entry]:
    """The entries, those in another customer's name with that fault."""
    for entry in entries:
        is_own = entry.request is None or caller.sees(entry.request.user_id)
        yield entry if is_own else Entry(entry.line, faults=(foreign_user(caller),))


def write_answer(
    remaining: Iterator[Entry], answer: IO[bytes], most: int, importing: Import
) -> int:
    """Import the entries and write what became of each; return the answer's HTTP status.

    `most` is how many entries are imported.
    """
    sums = Sums()
    stopped: dict[str, Any] = {}
    status = 200
    try:
        some = while_few_are_refused(islice(remaining, most), sums)
        for outcome in importing.run(some):
            sums.add(outcome)
            write_line(answer, outcome_json(outcome, is_dry_run=importing.is_dry_run))
        if following := next(remaining, None):
            is_refused = sums.refused >= MAX_REFUSED
            status, detail = (400, TOO_MANY_REFUSED) if is_refused else (413, TOO_MANY.format(most))
            stopped = {"stoppedAtLine": following.line, "detail": detail}
    except Truncated:
        if not sums.total:
            raise
        status, stopped = 400, {"stoppedAtLine": sums.last_line + 1, "detail": CUT_OFF}
    except Refusal as refusal:
        if not sums.total:
            raise
        status, stopped = refusal.status_code, {"stoppedAtLine": sums.last_line + 1}
        stopped["detail"] = str(refusal.detail)
    except PyMongoError as error:
        if not sums.total:
            raise
        logger.error("MongoDB failed an import after line %s: %s", sums.last_line, error)
        status, stopped = 503, {"stoppedAtLine": sums.last_line + 1, "detail": NO_DATABASE}
    dry_run = {"dryRun": True} if importing.is_dry_run else {}
    write_line(answer, {**sums.json(), **dry_run, **stopped})
    return status


def while_few_are_refused(entries: Iterable[Entry], sums: Sums) -> Iterator[Entry]:
    """The entries up to those that are too many refused ones; some, as the sums come later."""
    for each in entries:
        yield each
        if sums.refused >= MAX_REFUSED:
            return


def write_line(answer: IO[bytes], line: Mapping[str, Any]) -> None:
    answer.write(msgspec.json.encode(line) + b"\n")
