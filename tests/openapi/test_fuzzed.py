"""Whatever the document allows, and what it does not, gets an answer that it describes.

Schemathesis makes the requests out of the document, right and wrong ones, and compares the answers
with it; they go to the site's ASGI application without a server between. To try others: --seed,
and for more of them FUZZED_REQUESTS.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import BaseSchema

from tests.openapi.callers import CALLERS, callers
from tests.openapi.comparing import STREAM, Site, described, differences
from tests.openapi.prepared import PREPARED, shop

#: To each operation, right ones and as many wrong ones, each from every caller.
REQUESTS = int(os.environ.get("FUZZED_REQUESTS", 1))

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.mark.usefixtures("clean", "closed_api")
def test_every_answer_to_every_caller_is_one_that_is_described(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BaseSchema, "transport", Site())
    shop()
    known = callers()
    guarded: set[str] = set()

    wrong = [
        f"{caller}: {fault}"
        for case in cases(chance)
        for caller in callers_of(case)
        for fault in differences(case, known[caller], guarded)
    ]

    assert not wrong, "\n\n".join([str(len(wrong)), *wrong])


def cases(chance: random.Random) -> Iterator[Any]:
    """Requests to each operation, right and wrong ones; half of the paths name what there is."""
    for each in described().get_all_operations():
        operation = each.ok()
        id_ = operation.definition.raw["operationId"]
        for mode in MODES if can_be_wrong(operation.definition.raw) else MODES[:1]:
            path = PREPARED[id_]() if chance.random() < 0.5 and id_ != STREAM else None
            yield from chosen(operation.as_strategy(mode, path_parameters=path), chance)


def callers_of(case: Any) -> tuple[str, ...]:
    """Who asks; what is for everybody is answered to all alike."""
    return CALLERS if case.operation.definition.raw["security"] else CALLERS[:1]


def can_be_wrong(operation: dict[str, Any]) -> bool:
    """Whether there is more to it than texts, of which none is wrong."""
    return "requestBody" in operation or any(
        each["in"] == "query" for each in operation.get("parameters", ())
    )


def chosen(strategy: Any, chance: random.Random) -> list[Any]:
    found: list[Any] = []

    @seed(chance.randrange(2**32))
    @settings(
        # The first one is always the shortest that there is.
        max_examples=REQUESTS + 1,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def choose(case: Any) -> None:
        found.append(case)

    choose()
    return found[1:] or found
