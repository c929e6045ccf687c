"""A list in JSON: a document that another program wrote otherwise hides no other."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder

from messaging.isolation import isolated

logger = logging.getLogger(__name__)

Record = TypeVar("Record")
Shown = TypeVar("Shown")

UNLISTED = (
    "The document of %s is not as this release stores one, so lists leave it out; the others are "
    "listed. Correct the document in MongoDB."
)

encoded = partial(json.dumps, cls=DjangoJSONEncoder)


def listed(
    records: Iterable[Record],
    as_json: Callable[[Record], Shown],
    name: Callable[[Record], str],
    encode: Callable[[Any], object] = encoded,
) -> list[Shown]:
    """What `as_json` makes of each record, without those that cannot be read or written.

    Args:
        name: what the log calls a record, such as `endpoint 6743…`.
        encode: what writes the answer.
    """
    found = []
    for record in records:
        with isolated(logger, UNLISTED, name(record)):
            shown = as_json(record)
            encode(shown)
            found.append(shown)
    return found
