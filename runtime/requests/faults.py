"""All that is wrong with a value, in the API's words.

msgspec checks a body while it decodes it, and stops at the first thing that is wrong. A value that
it has refused is gone through once more here, field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin
from urllib.parse import quote

import msgspec
from msgspec import Struct

from runtime.requests.refusal import Fault
from runtime.requests.requirement import requirement

#: A client may send a field name of a megabyte; it is not sent back whole.
LONGEST_ECHO_CHARACTERS = 100
#: Of one request.
MOST_FAULTS = 100

#: The way to a value: names and indexes.
Path = tuple[str | int, ...]

UNKNOWN = "must not be given: it is not a known field"
UNKNOWN_PARAMETER = "must not be given: it is not a known parameter"


class Wrong(NamedTuple):
    """A wrong value: where it is, and what it must be."""

    path: Path
    detail: str


def faults_of(
    value: Any,
    type_: Any,
    fixes: Mapping[str, str],
    *,
    strict: bool = True,
    is_body: bool = True,
) -> list[Fault]:
    """All that is wrong with a value of JSON that is to be of that type; the first hundred.

    Args:
        fixes: for each field's last name (`quantity` for `items[3].quantity`, `items[]` for
            `items[3]`) an example of a valid value, and for `body` one of the whole. They may
            also say what to do in place of sending a field that is not known.
        strict: whether numbers in quotes are wrong.
        is_body: whether the value is a body, so that a JSON pointer can name each field.
    """
    found = islice(wrong(value, type_, strict), MOST_FAULTS)
    return [fault(each, fixes, is_body=is_body) for each in found]


def wrong(value: Any, type_: Any, strict: bool, path: Path = ()) -> Iterator[Wrong]:
    """Each wrong value in it; none where the value is of the type."""
    choices = alternatives(type_)
    bare = [without_bounds(each) for each in choices]
    structs = [each for each in bare if isinstance(each, type) and issubclass(each, Struct)]
    lists = [each for each in choices if get_origin(without_bounds(each)) is list]
    if isinstance(value, Mapping) and len(structs) == 1:
        yield from wrong_in_object(value, structs[0], strict, path)
    elif isinstance(value, list) and len(lists) == 1:
        too_short_or_long = list(wrong_itself(value, bounds_alone(lists[0]), strict, path))
        yield from too_short_or_long
        if not too_short_or_long:
            [item_type] = get_args(without_bounds(lists[0]))
            for index, item in enumerate(value):
                yield from wrong(item, item_type, strict, (*path, index))
    else:
        yield from wrong_itself(value, type_, strict, path)


def wrong_in_object(
    value: Mapping[str, Any], struct: type[Struct], strict: bool, path: Path
) -> Iterator[Wrong]:
    """What is unknown, missing or wrong in an object."""
    fields = fields_of(struct)
    if struct.__struct_config__.forbid_unknown_fields:
        for name in value:
            if name not in fields:
                yield Wrong((*path, name), UNKNOWN)
    for name, field in fields.items():
        if name in value:
            yield from wrong(value[name], field.type, strict, (*path, name))
        elif field.required:
            yield Wrong((*path, name), "must be given")


def right_fields(value: Any, type_: Any) -> dict[str, Any]:
    """The known fields of an object that is to be of that type, by their names in JSON.

    One that is wrong is None; of a list whose length is right, each item that is wrong.
    """
    if not (isinstance(value, Mapping) and issubclass(type_, Struct)):
        return {}
    return {
        name: right(value[name], field.type)
        for name, field in fields_of(type_).items()
        if name in value
    }


def right(value: Any, type_: Any) -> Any:
    found = next(wrong(value, type_, strict=True), None)
    if found is None:
        return msgspec.convert(value, type_)
    if not (isinstance(value, list) and found.path):
        return None
    [items] = [each for each in alternatives(type_) if get_origin(without_bounds(each)) is list]
    [item_type] = get_args(without_bounds(items))
    return [right(item, item_type) for item in value]


def wrong_itself(value: Any, type_: Any, strict: bool, path: Path) -> Iterator[Wrong]:
    """The first thing that msgspec finds."""
    try:
        msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        yield Wrong(path, requirement(str(error).partition(" - at `$")[0]))


@cache
def fields_of(struct: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields by their names in JSON."""
    return {each.encode_name: each for each in msgspec.structs.fields(struct)}


def alternatives(type_: Any) -> Sequence[Any]:
    """The types of a union; else the type alone. Each has its bounds."""
    bare = without_bounds(type_)
    return get_args(bare) if get_origin(bare) in (Union, UnionType) else (type_,)


def without_bounds(type_: Any) -> Any:
    return get_args(type_)[0] if get_origin(type_) is Annotated else type_


def bounds_alone(type_: Any) -> Any:
    """A list of anything, as long as this one may be."""
    if get_origin(type_) is not Annotated:
        return list
    _, *bounds = get_args(type_)
    return Annotated[(list, *bounds)]


def fault(wrong: Wrong, fixes: Mapping[str, str], *, is_body: bool) -> Fault:
    path, detail = wrong
    if detail is UNKNOWN:
        fix = f"Remove it. {fixes.get(str(path[-1])) or fix_of(path[:-1], fixes)}"
    else:
        fix = fix_of(path, fixes)
    if is_body:
        return body_fault(path, detail, fix)
    detail = UNKNOWN_PARAMETER if detail is UNKNOWN else detail
    return Fault(field=field_of(path), detail=detail, fix=fix)


def body_fault(path: Path, detail: str, fix: str) -> Fault:
    """The fault of a value in a JSON body, which a pointer names beside the field."""
    field = field_of(path) or "body"
    return Fault(field=field, detail=detail, fix=fix, pointer=pointer_of(path))


def field_of(path: Path) -> str:
    """`items[3].quantity`."""
    field = ""
    for step in path:
        if isinstance(step, int):
            field += f"[{step}]"
        else:
            # The name is the client's: any text, even none, and of any length.
            name = step[:LONGEST_ECHO_CHARACTERS] or '""'
            field += f".{name}" if field else name
    return field


def pointer_of(path: Path) -> str:
    """`#/items/3/quantity`: a JSON pointer (RFC 6901, section 6) as RFC 9457 shows it."""
    steps = (str(step)[:LONGEST_ECHO_CHARACTERS].replace("~", "~0") for step in path)
    return "#" + "".join(f"/{quote(step.replace('/', '~1'), safe='~$')}" for step in steps)


def fix_of(path: Path, fixes: Mapping[str, str]) -> str:
    last = path[-1] if path else "body"
    name = f"{path[-2] if len(path) > 1 else ''}[]" if isinstance(last, int) else last
    return fixes[name] if name in fixes else fixes["body"]
