"""Request headers that have one value."""

from __future__ import annotations

from runtime.requests.refusal import Fault, Refusal

#: What may stand around a field's value, and is not part of it (RFC 9110, section 5.5).
BLANKS = " \t"


def one_value(name: str, value: str, title: str) -> str:
    """What a field says that may have one value alone.

    Lines of the same field are one line with commas, as any proxy may make of them (RFC 9110,
    section 5.3). Proxies and SDKs also send a line twice, so equal values are one.

    Args:
        name: the field's, e.g. `Idempotency-Key`.
        value: its lines, joined by commas.
        title: what did not happen, if the request is refused.

    Raises:
        Refusal: there are different values.
    """
    if "," not in value:
        return value.strip(BLANKS)
    values = list(dict.fromkeys(each.strip(BLANKS) for each in value.split(",")))
    if len(values) > 1:
        detail = (
            f"must have one value, and has {len(values)} in several lines or separated by commas"
        )
        fix = "Send it once, with one value and no comma in it."
        raise Refusal(title, [Fault(field=name, detail=detail, fix=fix)])
    return values[0]
