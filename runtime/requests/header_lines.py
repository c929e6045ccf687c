"""The header lines of a request, read the same way everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.requests.header import BLANKS

Line = tuple[bytes, bytes]

_BLANKS = BLANKS.encode()


def joined(lines: Sequence[Line]) -> list[Line]:
    """One line for each field, without the blanks around its value.

    Lines of the same field are joined by commas, or a cookie's by semicolons (RFC 9110, section
    5.3; RFC 9113, section 8.2.3). A Content-Type that is there twice, and the same, is there once.
    A name with an underscore is left out: WSGI would take it for the one with a hyphen.
    """
    fields = {name: value.strip(_BLANKS) for name, value in lines}
    # Nearly all requests, so asked as cheaply as can be.
    if len(fields) < len(lines) or b"_" in b"".join(fields):
        fields = _joined(lines)
    return list(fields.items())


def _joined(lines: Iterable[Line]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for name, value in lines:
        if b"_" in name:
            continue
        value = value.strip(_BLANKS)
        if name not in fields:
            fields[name] = value
        elif name == b"cookie":
            fields[name] += b"; " + value
        elif name != b"content-type" or value != fields[name]:
            fields[name] += b"," + value
    return fields
