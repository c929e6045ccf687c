"""The parameters in a request's address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from rest_framework.request import Request

from runtime.requests.faults import (
    LONGEST_ECHO_CHARACTERS,
    alternatives,
    faults_of,
    fields_of,
    without_bounds,
)
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.text import fault_in

TITLE = "The request is not valid"

#: More than any address of ours has; a longer list is an attack.
MOST_PARAMETERS = 100

Filters = TypeVar("Filters", bound=Struct)

#: How a value of the type is written; msgspec reads more, such as `1e3`, and `1` or `TRUE` as true.
_WRITTEN = {int: re.compile(r"-?[0-9]+"), bool: re.compile(r"true|false")}

ENCODING_FIX = "Write each parameter as name=value, percent-encoded in UTF-8."


def parameters(request: Request, title: str = TITLE) -> dict[str, str]:
    """The parameters by name; `title` is what did not happen, if they are refused.

    Raises:
        Refusal: they are not UTF-8, have a NUL, are too many, or one is there twice.
    """
    read: dict[str, str] = {}
    repeated: dict[str, Fault] = {}
    for name, value in _pairs(request.META.get("QUERY_STRING", ""), title):
        if fault := fault_in(name) or fault_in(value):
            raise _refused(title, name.replace("\0", "\ufffd"), fault, ENCODING_FIX)
        if name in read:
            repeated[name] = _fault(name, "must be given once, and is there twice", "Send it once.")
        read[name] = value
    if repeated:
        raise Refusal(title, list(repeated.values()))
    return read


def read(
    parameters: Mapping[str, str], type_: type[Filters], title: str, fixes: Mapping[str, str]
) -> Filters:
    """What the parameters ask for.

    Args:
        title: what did not happen, if they are refused.
        fixes: how to fix each parameter.

    Raises:
        Refusal: a parameter is unknown or has no valid value; it is named.
    """
    parameters = as_documented(parameters, type_)
    try:
        return msgspec.convert(parameters, type_, strict=False)
    except msgspec.ValidationError as error:
        known = type_.__struct_encode_fields__
        unknown = {name: fix_of_unknown(name, known) for name in parameters if name not in known}
        faults = faults_of(parameters, type_, {**fixes, **unknown}, strict=False, is_body=False)
        raise Refusal(title, faults) from error


def as_documented(parameters: Mapping[str, str], type_: type[Struct]) -> dict[str, str]:
    """The parameters, with nothing in place of one that is not written as its type is.

    msgspec would read `9007199254740993.0` and `1e3` by way of a float, which is another number.
    """
    forms = written(type_)
    return {
        name: "" if name in forms and not forms[name].fullmatch(value) else value
        for name, value in parameters.items()
    }


@cache
def written(type_: type[Struct]) -> Mapping[str, re.Pattern[str]]:
    """How each whole number, and each `true` or `false`, is written."""
    return {
        name: form
        for name, field in fields_of(type_).items()
        for bare, form in _WRITTEN.items()
        if bare in map(without_bounds, alternatives(field.type))
    }


def fix_of_unknown(name: str, known: Sequence[str]) -> str:
    """What to send in place of a parameter that there is not."""
    if not known:
        return "This address has no parameters."
    # In one case, as `userid` is meant to be `userId`.
    by_case = {each.lower(): each for each in known}
    near = get_close_matches(name[:LONGEST_ECHO_CHARACTERS].lower(), by_case, n=1)
    meant = f"Perhaps {by_case[near[0]]} is meant. " if near else ""
    names = f"parameters are {', '.join(known)}" if len(known) > 1 else f"only one is {known[0]}"
    return f"{meant}The {names}."


def _pairs(query: str, title: str) -> list[tuple[str, str]]:
    try:
        # WSGI's text is bytes, each a character (PEP 3333).
        text = query.encode("latin1").decode()
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except UnicodeDecodeError:
        raise _refused(title, "address", "is not UTF-8", ENCODING_FIX) from None
    except ValueError:
        fix = f"Send at most {MOST_PARAMETERS} parameters."
        raise _refused(
            title, "address", f"must have at most {MOST_PARAMETERS} parameters", fix
        ) from None


def _refused(title: str, name: str, detail: str, fix: str) -> Refusal:
    return Refusal(title, [_fault(name, detail, fix)])


def _fault(name: str, detail: str, fix: str) -> Fault:
    return Fault(field=name[:100] or '""', detail=detail, fix=fix)
