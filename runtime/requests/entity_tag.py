"""Entity tags (RFC 9110, section 13): a client asks whether what it has is still the same.

A tag is made of what is shown, so that equal ones are the same state. A proxy that compresses
marks it as weak (`W/"…"`); it names the same state, so that mark means nothing here.
"""

from __future__ import annotations

from hashlib import blake2b
from http import HTTPStatus

from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request

from runtime.requests.operation import Answer, Header
from runtime.requests.problem_types import PRECONDITION_FAILED
from runtime.requests.refusal import Fault, Refusal

IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"

#: For the API's description.
FIELD = Header(
    "ETag", "Of what is shown: the same tag, the same state.", '"9f86d081884c7d659a2feaa0"'
)
IF_MATCH_FIELD = Header(IF_MATCH, "Do it to the state with this ETag alone.", FIELD.example)
READ_FIELDS = (
    Header(IF_NONE_MATCH, "The ETag of what the client has.", FIELD.example),
    Header(IF_MATCH, "Show the state with this ETag alone.", FIELD.example),
)
SAME = Answer("It is still the same.", headers=(FIELD,))


def tag_of(shown: bytes) -> str:
    """The tag of what is shown, with its quotes."""
    return f'"{blake2b(shown, digest_size=12).hexdigest()}"'


def answer(request: Request, shown: bytes) -> HttpResponse:
    """What is shown as JSON, with its tag; 304 where the client has it already.

    Raises:
        Refusal: the client asks for another state alone (412).
    """
    tag = tag_of(shown)
    response = unchanged(request, tag) or HttpResponse(shown, content_type="application/json")
    response["ETag"] = tag
    # A browser keeps it, and asks each time whether it is still the same.
    response["Cache-Control"] = "private, no-cache"
    return response


def unchanged(request: Request, tag: str) -> HttpResponse | None:
    """304 where the client has this state already; None where it has to be shown.

    Raises:
        Refusal: the client asks for another state alone (412).
    """
    check_match(request, tag, "It was not read")
    if not is_named(request.headers.get(IF_NONE_MATCH, ""), tag):
        return None
    response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    del response["Content-Type"]
    return response


def is_asked(request: Request) -> bool:
    """Whether the client wants something done to one state alone."""
    return IF_MATCH in request.headers


def check_match(request: Request, tag: str, title: str) -> None:
    """Check that `If-Match`, where it is sent, names the state as it is.

    Raises:
        Refusal: it does not (412); `title` is what was not done.
    """
    if is_asked(request) and not is_named(request.headers[IF_MATCH], tag):
        raise changed(title)


def changed(title: str) -> Refusal:
    """412: it is not in the state any more that the client has seen."""
    fault = Fault(
        field=IF_MATCH,
        detail="does not name the state that it is in now",
        fix="Get it again, look at what has changed, and send the ETag of that answer.",
    )
    return Refusal(title, [fault], PRECONDITION_FAILED)


def is_named(header: str, tag: str) -> bool:
    """Whether the header's tags have this one, or are `*`: any state."""
    named = parse_etags(header.strip())
    return "*" in named or tag in (each.removeprefix("W/") for each in named)
