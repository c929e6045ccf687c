"""What a value must be, in the words of JSON, out of what msgspec found wrong."""

from __future__ import annotations

import re

_FOUND = re.compile(
    r"Expected `(?P<types>[^`]+)`"
    r"(?P<length> of length)?(?: (?P<bound>>=|<=) (?P<limit>\S+))?"
    r"(?: matching regex (?P<pattern>.+?))?"
    r"(?:, got `(?P<found>[^`]+)`)?",
    re.DOTALL,
)

_ENUM = "Invalid enum value "
_NO_TIME = "Invalid RFC3339 encoded datetime"

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "array": "an array",
    "object": "an object",
    "bool": "true or false",
    "null": "null",
    "datetime": "a time",
}
_FOUND_TYPES = _TYPES | {"bool": "a boolean", "float": "a number with a fraction"}
_BOUNDS = {">=": "at least", "<=": "at most"}
_COUNTED = {"str": "character", "array": "item"}


def requirement(problem: str) -> str:
    """msgspec's "Expected `int`, got `str`" as "must be a whole number, not text"."""
    if problem.startswith(_ENUM):
        return f"must be one of the known values, not {problem.removeprefix(_ENUM)}"
    if problem == _NO_TIME:
        return "must be a time of RFC 3339"
    match = _FOUND.fullmatch(problem)
    if match is None:
        return f"must be valid: {problem[:1].lower()}{problem[1:].replace('`', '')}"
    types = match["types"].split(" | ")
    must = " or ".join(_TYPES.get(each, each) for each in types)
    if match["bound"]:
        must += f" of {_BOUNDS[match['bound']]} {match['limit']}"
        if match["length"]:
            must += f" {_COUNTED.get(types[0], 'item')}{'' if match['limit'] == '1' else 's'}"
    if match["pattern"]:
        must += f" that matches {match['pattern']}"
    if match["found"]:
        must += f", not {_FOUND_TYPES.get(match['found'], match['found'])}"
    return f"must be {must}"
